import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The newest request of each connection, so that what comes last is answered last. */
export class OpenAnswers {
  readonly #newest = new WeakMap<Duplex, ServerResponse>();

  began(socket: Duplex, response: ServerResponse): void {
    this.#newest.set(socket, response);
  }

  /**
   * Calls back once it is the turn of what cannot be read on a connection: of the rest of its newest request, or of what follows that. At once if it
   * is; never when the connection ends before.
   */
  onceNext(socket: Duplex, then: () => void): void {
    const response = this.#newest.get(socket);
    if (response === undefined || response.closed || response.writableFinished) return then();
    if (response.req.complete) response.once('close', then);
    // A response gets its socket when those before it are through.
    else if (response.socket === null) response.once('socket', then);
    else then();
  }
}
