import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { assert } from '../../support/assert.js';
import { reset } from './reset.js';

type UpgradeListener = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

/**
 * Of a connection that Node handed over it looks no more whether anything moves; its timer runs on. Ends it when it goes off; returns the listener that
 * does.
 */
export function dropWhenStalled(socket: Socket): () => void {
  const drop = (): void => reset(socket);
  socket.on('timeout', drop);
  return drop;
}

/** The newest request of each connection, so that what comes last is answered last. */
export class OpenAnswers {
  readonly #newest = new WeakMap<Duplex, ServerResponse>();

  /**
   * To be called once everybody listens. Upgrades wait for their turn from here on: the plugin that takes them would find the connection in use, and leave
   * it open without an answer for good.
   */
  watch(server: Server): void {
    server.on('request', (request, response) => this.#newest.set(request.socket, response));
    const [upgrade, ...others] = server.listeners('upgrade') as UpgradeListener[];
    assert(upgrade !== undefined && others.length === 0, 'one listener takes upgrades');
    server.off('upgrade', upgrade);
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const drop = dropWhenStalled(socket);
      this.onceNext(socket, () => {
        socket.off('timeout', drop);
        if (!socket.destroyed) upgrade.call(server, request, socket, head);
      });
    });
  }

  /** Whether the request that breaks off now had its answer already. */
  isAnswered(socket: Duplex): boolean {
    const response = this.#newest.get(socket);
    return response !== undefined && !response.req.complete && response.headersSent;
  }

  /**
   * Calls back once it is the turn of what a handler never sees on a connection: of the rest of its newest request, or of what follows that. At once if it
   * is; never when the connection ends before.
   */
  onceNext(socket: Duplex, then: () => void): void {
    const response = this.#newest.get(socket);
    // Not `writableFinished`: what is written is still to be reported, and until then the answer has the connection.
    if (response === undefined || response.closed) return then();
    if (response.req.complete) response.once('close', then);
    // A response gets its socket when those before it are through.
    else if (response.socket === null) response.once('socket', then);
    else then();
  }
}
