import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { servePeer } from '../support/peer.js';
import { turnMessages } from './messages.js';

/** What everybody writes first: for each message, `send` to each client. */
let server: WebSocketServer | undefined;
const messages = turnMessages().map((text) => Buffer.from(text));

servePeer({
  start: async (): Promise<number> => {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  turns: async ({ turns }: { turns: number }): Promise<void> => {
    const clients = [...server!.clients];
    for (let turn = 0; turn < turns; turn++) {
      for (const message of messages) for (const client of clients) client.send(message, { binary: false });
      do await wait(1);
      while (clients.some(({ bufferedAmount }) => bufferedAmount > 0));
    }
  },
});
