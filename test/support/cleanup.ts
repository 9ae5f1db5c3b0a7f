import { afterEach } from 'vitest';

export interface Closable {
  close(): unknown;
}

/** Closes what a test opened when the test is over, however it ended: newest first. Call once in a test file. */
export function useCleanup(): <T extends Closable>(thing: T) => T {
  const open: Closable[] = [];
  afterEach(async () => {
    for (const thing of open.splice(0).reverse()) await thing.close();
  });
  return (thing) => {
    open.push(thing);
    return thing;
  };
}
