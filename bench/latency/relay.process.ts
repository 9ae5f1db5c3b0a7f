import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { servePeer } from '../support/peer.js';

/** The least a program between exchange and client can do: hand on what it gets. */
servePeer({
  start: async ({ port }: { port: number }): Promise<number> => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    await once(server, 'listening');
    const source = new WebSocket(`ws://127.0.0.1:${port}/bare`, { perMessageDeflate: false });
    source.on('message', (data: Buffer) => {
      for (const client of server.clients) client.send(data, { binary: true });
    });
    await once(source, 'open');
    return (server.address() as AddressInfo).port;
  },
});
