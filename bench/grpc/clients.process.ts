import { type ClientReadableStream, credentials, makeClientConstructor, type MethodDefinition } from '@grpc/grpc-js';
import { loadContract, SERVICE_NAME, serviceOf } from '../../src/gateway/grpc/schema.js';
import { servePeer } from '../support/peer.js';
import { CHANNELS, MESSAGES_PER_TURN, STREAMS_PER_CHANNEL, SYMBOL, turnMessages } from './messages.js';

/** The clients of one server: they compare every message with what it must be, byte by byte, and decode none. */
const expected = turnMessages();
let received = 0;
let wrong = 0;
let wanted = Infinity;
let complete: (() => void) | undefined;

type Subscribe = (request: object) => ClientReadableStream<Buffer>;

servePeer({
  connect: ({ address }: { address: string }): void => {
    const methods = Object.entries(serviceOf(loadContract())).map(([name, method]: [string, MethodDefinition<object, object>]) => [
      name,
      { ...method, responseDeserialize: (bytes: Buffer) => bytes },
    ]);
    const Client = makeClientConstructor(Object.fromEntries(methods) as ReturnType<typeof serviceOf>, SERVICE_NAME);
    for (let channel = 0; channel < CHANNELS; channel++) {
      // A pool of its own is a connection of its own.
      const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
      for (let i = 0; i < STREAMS_PER_CHANNEL; i++) {
        const stream = (client['SubscribeToOrderBookUpdates'] as Subscribe).call(client, { symbol: SYMBOL, with_status: true });
        let next = 0;
        stream.on('data', (data: Buffer) => {
          if (!data.equals(expected[next]!)) wrong++;
          next = (next + 1) % MESSAGES_PER_TURN;
          received++;
          if (received === wanted) complete!();
        });
        stream.on('error', () => {});
      }
    }
  },
  /** Resolves when all streams together received so many messages since the start; throws when one was another. */
  received: async ({ messages }: { messages: number }): Promise<void> => {
    wanted = messages;
    if (received < messages) await new Promise<void>((resolve) => (complete = resolve));
    if (wrong > 0 || received !== messages) throw new Error(`${wrong} wrong messages, ${received} of ${messages} received`);
  },
});
