import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { dropWhenStalled, type OpenAnswers } from './access/open-answers.js';
import { Problem } from './problem.js';

/** What is wrong with a request that is no HTTP, by the parser's code. */
const refusals: Readonly<Record<string, { readonly status: string; readonly detail: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: '408 Request Timeout', detail: 'the request did not arrive in time' },
  HPE_HEADER_OVERFLOW: { status: '431 Request Header Fields Too Large', detail: 'the request line and headers are too large' },
};
const anyOther = { status: '400 Bad Request', detail: 'this is not HTTP/1.1' };

/** Errors of HTTP itself; with any other, as of a TLS handshake, there is nobody who could read an answer. */
const ofHttp = /^(?:HPE_|ERR_HTTP_)/;

/**
 * Answers requests that no handler will ever see, and closes their connection: what is no HTTP, and CONNECT. Those before them on the same
 * connection are answered first.
 */
export class RawRefusal {
  readonly #answers: OpenAnswers;
  readonly #headers: string;
  /** Connections that are refused already: what follows on them is more of the same. */
  readonly #refused = new WeakSet<Duplex>();

  /** `headers`: of every answer. */
  constructor(answers: OpenAnswers, headers: Readonly<Record<string, string>>) {
    this.#answers = answers;
    this.#headers = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  }

  badHttp(error: Error & { readonly code?: string | undefined }, socket: Socket): void {
    if (!ofHttp.test(error.code ?? '')) return void socket.destroy();
    // One answer is all a request gets.
    if (this.#answers.isAnswered(socket)) return socket.destroySoon();
    const { status, detail } = refusals[error.code ?? ''] ?? anyOther;
    this.#refuse(socket, status, new Problem('BAD_REQUEST', detail, {}, { status: Number.parseInt(status, 10) }));
  }

  /** Node hands a CONNECT to nobody's handler, and would end the connection without a word. */
  connect(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    dropWhenStalled(socket);
    this.#refuse(socket, '405 Method Not Allowed', new Problem('METHOD_NOT_ALLOWED', 'this server is no proxy'));
  }

  #refuse(socket: Duplex, status: string, problem: Problem): void {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    this.#answers.onceNext(socket, () => {
      if (socket.destroyed || !socket.writable) return void socket.destroy();
      const body = JSON.stringify(problem.toJSON());
      const head = `HTTP/1.1 ${status}\r\n${this.#headers}Content-Type: application/problem+json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
      socket.end(head + body, () => socket.destroy());
    });
  }
}
