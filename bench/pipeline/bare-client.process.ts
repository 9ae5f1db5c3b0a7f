import { once } from 'node:events';
import { WebSocket } from 'ws';
import { nowMs } from '../support/now.js';
import { servePeer } from '../support/peer.js';

/** The least a program can do with the same frames: `ws` with the options the feed uses, and a counter. */
let socket: WebSocket | undefined;
let frames = 0;
let wanted = Infinity;
let reached: ((atMs: number) => void) | undefined;

servePeer({
  start: async ({ port }: { port: number }) => {
    socket = new WebSocket(`ws://127.0.0.1:${port}/bare`, { perMessageDeflate: false });
    socket.on('message', () => {
      frames++;
      if (frames === wanted) reached!(nowMs());
    });
    await once(socket, 'open');
  },
  /** Resolves when so many frames came since the start, and says when it was. */
  counted: ({ frames: count }: { frames: number }): Promise<number> => {
    wanted = count;
    return new Promise((resolve) => {
      reached = resolve;
      if (frames >= count) resolve(nowMs());
    });
  },
});
