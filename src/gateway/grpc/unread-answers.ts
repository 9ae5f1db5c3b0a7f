import { constants, type Http2Session } from 'node:http2';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { CodedError, ErrorCode } from '../../support/errors.js';
import { http2StreamOf } from './http2-stream.js';

/**
 * Bounds the answers to single calls that a connection was given and has not read. HTTP/2 lets a client open a thousand calls for a whole
 * book each and read none of the answers, and would keep them all. Past the limit further calls end with SLOW_CONSUMER, and a call
 * whose answer does not move for so long is reset.
 */
export class UnreadAnswers {
  readonly #bytesMax: number;
  readonly #stalledMs: number;
  readonly #bytesOf = new WeakMap<Http2Session, number>();

  constructor(bytesMax: number, stalledMs: number) {
    this.#bytesMax = bytesMax;
    this.#stalledMs = stalledMs;
  }

  /** Counts an answer of so many bytes until its call is over; one alone may be of any size. Throws SLOW_CONSUMER. */
  add(call: ServerUnaryCall<unknown, Buffer>, bytes: number): void {
    const stream = http2StreamOf(call);
    const session = stream?.session;
    if (stream === undefined || session === undefined || stream.destroyed) return;
    const before = this.#bytesOf.get(session) ?? 0;
    if (before > 0 && before + bytes > this.#bytesMax)
      throw new CodedError(ErrorCode.SLOW_CONSUMER, `more than ${this.#bytesMax} bytes of answers wait for this connection`);
    this.#bytesOf.set(session, before + bytes);
    stream.once('close', () => this.#bytesOf.set(session, this.#bytesOf.get(session)! - bytes));
    stream.setTimeout(this.#stalledMs, () => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
  }
}
