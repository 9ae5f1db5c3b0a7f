import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type ConnectionOptions, StreamConnection } from './stream-connection.js';
import type { StreamHub } from './stream-hub.js';

/** Longest message a client may send; thirty channels of 64 letters fit. */
const MESSAGE_BYTES_MAX = 64 * 1024;

/** Accepts stream clients on `/ws` of an HTTP server and applies the exchange's time limits to them. */
export class StreamServer {
  readonly #hub: StreamHub;
  readonly #options: ConnectionOptions;
  readonly #acceptor = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    clientTracking: false,
  });
  readonly #sweep: NodeJS.Timeout;

  constructor(server: Server, hub: StreamHub, options: ConnectionOptions) {
    this.#hub = hub;
    this.#options = options;
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket as Socket, head));
    const { limits } = options;
    const shortestMs = Math.min(limits.noSubscriptionCloseMs, limits.idleDropMs, limits.connectionLifetimeMs);
    this.#sweep = setInterval(() => this.#checkTimes(), Math.min(Math.max(shortestMs / 10, 5), 1_000));
    this.#sweep.unref();
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const connection of [...this.#hub.connections]) connection.drop(undefined);
    this.#acceptor.close();
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Without a listener a reset during the handshake would end the process.
    socket.on('error', () => socket.destroy());
    if (request.url?.split('?', 1)[0] !== '/ws') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    socket.setNoDelay(true);
    this.#acceptor.handleUpgrade(request, socket, head, (webSocket) => {
      this.#hub.connected(new StreamConnection(webSocket, socket, this.#hub, this.#options));
    });
  }

  #checkTimes(): void {
    const nowMs = Date.now();
    for (const connection of [...this.#hub.connections]) connection.checkTimes(nowMs);
  }
}
