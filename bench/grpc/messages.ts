/** Connections, and streams on each. */
export const CHANNELS = 5;
export const STREAMS_PER_CHANNEL = 10;
export const STREAMS = CHANNELS * STREAMS_PER_CHANNEL;
/** Fewer than the 16 grpc-js takes before it asks to wait. */
export const MESSAGES_PER_TURN = 4;
export const MESSAGE_BYTES = 1024;
export const SYMBOL = 'BTCUSDT';

/** The messages of a turn, each of its own; the same every turn. */
export function turnMessages(): Buffer[] {
  return Array.from({ length: MESSAGES_PER_TURN }, (_, i) => Buffer.alloc(MESSAGE_BYTES, i + 1));
}
