export const CLIENTS = 200;
export const MESSAGES_PER_TURN = 10;

/** The messages of a turn, each of 1,024 bytes and of its own; the same every turn. */
export function turnMessages(): string[] {
  return Array.from({ length: MESSAGES_PER_TURN }, (_, i) => `{"message":${i},"filler":"`.padEnd(1022, 'x').concat('"}'));
}
