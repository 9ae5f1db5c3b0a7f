import { test } from 'vitest';

export interface Closable {
  close(): unknown;
}

/** Notes what a test opened, and returns it. */
export type Open = <T extends Closable>(thing: T) => T;

/** `it` with `opened`: what is given to it is closed when the test is over, however it ended, newest first. Tests may run at the same time. */
export const it = test.extend<{ opened: Open }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of the fixtures a fixture needs from here
  opened: async ({}, use) => {
    const open: Closable[] = [];
    await use((thing) => {
      open.push(thing);
      return thing;
    });
    for (const thing of open.reverse()) await thing.close();
  },
});
