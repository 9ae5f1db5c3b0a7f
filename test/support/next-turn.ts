/** Resolves in the next turn of the event loop, so that messages of other threads get in. */
export { setImmediate as nextTurn } from 'node:timers/promises';
