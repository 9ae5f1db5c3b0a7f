import { setTimeout as wait } from 'node:timers/promises';
import { servePeer } from '../support/peer.js';
import { turnMessages } from './messages.js';

/** What is used of Bun, which runs this file; its types would clash with those of Node. */
interface BunSocket {
  subscribe(topic: string): void;
  getBufferedAmount(): number;
}
interface BunServer {
  readonly port: number;
  upgrade(request: unknown): boolean;
  publish(topic: string, message: string): number;
}
declare const Bun: { serve(options: object): BunServer };

/** Bun's own publish, with one topic for all. */
let server: BunServer | undefined;
const sockets: BunSocket[] = [];
const messages = turnMessages();

servePeer({
  start: (): number => {
    server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request: unknown, itself: BunServer) => void itself.upgrade(request),
      websocket: {
        perMessageDeflate: false,
        open: (socket: BunSocket) => {
          socket.subscribe('all');
          sockets.push(socket);
        },
        message: () => {},
      },
    });
    return server.port;
  },
  turns: async ({ turns }: { turns: number }): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) {
      for (const message of messages) server!.publish('all', message);
      do await wait(1);
      while (sockets.some((socket) => socket.getBufferedAmount() > 0));
    }
  },
});
