import { constants, type ServerHttp2Stream } from 'node:http2';
import { ServerInterceptingCall, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { GatewayContext } from '../context.js';
import { Problem } from '../problem.js';
import { toStatus } from './status.js';
import type { OpenStream } from './stream-table.js';

/**
 * A stream of health or reflection. Their packages answer whatever comes, whether or not anybody reads it. Here nothing more is read of a client while a message
 * to it has not left, and one that does not leave for `stalledMs` resets the stream: what can pile up is an answer or two of reflection, and as many states of health
 * as there are in that time.
 */
export class SideStream extends ServerInterceptingCall implements OpenStream {
  readonly #stream: ServerHttp2Stream;
  readonly #context: GatewayContext;
  readonly #refusal: () => Problem | undefined;
  /** A message has not left since; -1 = there is none. */
  #sendingSinceMs = -1;
  #readLater = false;
  #ended = false;

  /** `refusal`: asked before each message, which is not made when there is one. */
  constructor(
    call: ServerInterceptingCallInterface,
    stream: ServerHttp2Stream,
    context: GatewayContext,
    refusal: () => Problem | undefined,
  ) {
    super(call);
    this.#stream = stream;
    this.#context = context;
    this.#refusal = refusal;
  }

  get writableLength(): number {
    return this.#stream.writableLength;
  }

  override startRead(): void {
    if (this.#sendingSinceMs < 0) super.startRead();
    else this.#readLater = true;
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (this.#ended) return;
    const refusal = this.#refusal();
    if (refusal !== undefined) return this.#end(refusal);
    this.#sendingSinceMs = this.#context.now();
    super.sendMessage(message, () => {
      this.#sendingSinceMs = -1;
      // Sends what has waited behind it, if anything has.
      callback();
      if (!this.#readLater || this.#sendingSinceMs >= 0) return;
      this.#readLater = false;
      super.startRead();
    });
  }

  check(nowMs: number): void {
    if (this.#sendingSinceMs >= 0 && nowMs - this.#sendingSinceMs >= this.#context.limits.stalledMs) this.closeAsSlow();
  }

  /** A status would not reach it either. */
  closeAsSlow(): void {
    this.#ended = true;
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  shutDown(): void {
    this.#end(new Problem('SHUTTING_DOWN', 'the server is shutting down'));
  }

  #end(problem: Problem): void {
    if (this.#ended) return;
    this.#ended = true;
    this.sendStatus(toStatus(problem));
  }
}
