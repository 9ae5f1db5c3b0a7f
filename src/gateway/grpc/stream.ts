import { constants } from 'node:http2';
import { Metadata, type ServerWritableStream } from '@grpc/grpc-js';
import type { PublicationSpec } from '../../model/publication.js';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { ClientConnection, CloseReason, Outlet } from '../../publish/client-connection.js';
import type { Subscriber } from '../../publish/subscriber.js';
import type { Publication } from '../../publish/subscription.js';
import type { SkippedRun } from '../../publish/trade-backlog.js';
import { CodedError, ErrorCode } from '../../support/errors.js';
import type { GatewayContext } from '../context.js';
import { Problem } from '../problem.js';
import { http2StreamOf } from './http2-stream.js';
import { toStatus } from './status.js';
import type { OpenStream } from './stream-table.js';
import { encodeSkipped } from './trades-message.js';

/**
 * Below any message, so that a call counts as slow when its buffer is still full at the start of a turn: grpc-js takes 16 messages and
 * says no to more.
 */
const SOFT_LIMIT_BYTES = 1;

/** A server stream as grpc-js hands it out; the messages are bytes already. */
export type ServerStream<Request> = ServerWritableStream<Request, Buffer>;

export interface StreamOptions {
  /** The client is told of states by messages; otherwise its stream ends when the book stays out of service. */
  readonly withStatus: boolean;
  /** The stream ends before anything is left out. */
  readonly disconnectWhenSlow: boolean;
}

/**
 * One server stream: a client of the hub with one subscription. What is written and has not left is counted in bytes here, for grpc-js counts
 * messages.
 */
export class Stream implements ClientConnection, OpenStream, Outlet {
  readonly outlet: Outlet = this;
  /** Bytes written whose end is not known yet. */
  writableLength = 0;
  readonly #call: ServerStream<unknown>;
  readonly #context: GatewayContext;
  readonly #options: StreamOptions;
  readonly #symbol: TrackedSymbol;
  readonly #subscriber: Subscriber;
  #ended = false;
  /** The book is out of service since; -1 = it is not, as far as is known. */
  #notLiveSinceMs = -1;

  constructor(
    call: ServerStream<unknown>,
    context: GatewayContext,
    symbol: TrackedSymbol,
    spec: PublicationSpec,
    options: StreamOptions,
    done: () => void,
  ) {
    const { hub } = context;
    this.#call = call;
    this.#context = context;
    this.#options = options;
    this.#symbol = symbol;
    this.#subscriber = hub.addClient(this, { softLimitBytes: SOFT_LIMIT_BYTES });
    call.on('drain', () => this.#subscriber.drained());
    // However it ends: by the client, by us, or with the connection.
    call.once('cancelled', () => {
      this.#ended = true;
      hub.removeClient(this.#subscriber);
      done();
    });
    // Headers at once: the client knows that it is subscribed, however long the first message takes.
    call.sendMetadata(new Metadata());
    hub.subscribe(this.#subscriber, symbol, spec);
  }

  get writableNeedDrain(): boolean {
    return this.#call.writableNeedDrain;
  }

  write(frame: Buffer): void {
    this.#notLiveSinceMs = -1;
    this.writableLength += frame.length;
    this.#call.write(frame, () => {
      this.writableLength -= frame.length;
    });
  }

  /** grpc-js hands every message to HTTP/2 by itself: there is nothing to hold back. */
  cork(): void {}

  uncork(): void {
    if (this.#options.disconnectWhenSlow && this.#subscriber.slow) this.closeAsSlow();
  }

  isOpen(): boolean {
    return !this.#ended;
  }

  takesState(): boolean {
    if (this.#notLiveSinceMs < 0) this.#notLiveSinceMs = this.#context.now();
    return this.#options.withStatus;
  }

  close(reason: CloseReason): void {
    this.#end(closeError(reason));
  }

  /** It does not read; one that takes not even that is dropped by the hub's next checks. */
  closeAsSlow(): void {
    this.#subscriber.closeAsSlow(this.#context.now());
  }

  shutDown(): void {
    this.#subscriber.close(this.#context.now(), 'SHUTTING_DOWN');
  }

  terminate(): void {
    // The client does not read, so the status above would never reach it; this does, and gives back what was buffered.
    http2StreamOf(this.#call)?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  publicationEnded({ symbol: { symbol } }: Publication): void {
    this.#end(new CodedError(ErrorCode.SYMBOL_UNTRACKED, `${symbol} is no longer tracked`, { symbol }));
  }

  tradesSkipped(_publication: Publication, skipped: SkippedRun): void {
    this.write(encodeSkipped(skipped, this.#context.now()));
  }

  /** Ends a stream whose book stays out of service, unless its client is told of states. */
  check(nowMs: number): void {
    if (this.#options.withStatus || this.#notLiveSinceMs < 0) return;
    if (nowMs - this.#notLiveSinceMs >= this.#context.limits.notLiveGraceMs) void this.#checkBook();
  }

  async #checkBook(): Promise<void> {
    try {
      await this.#context.answers.copy(this.#symbol, 1, false, () => {});
      this.#notLiveSinceMs = -1;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // BOOK_BUSY is a book that lives: it is looked at again.
      if (error.code === 'BOOK_NOT_LIVE') this.#end(error);
    }
  }

  /** What is buffered still leaves, then the status. */
  #end(error: CodedError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#call.emit('error', toStatus(error));
  }
}

function closeError(reason: CloseReason): CodedError {
  switch (reason) {
    case 'SLOW_CONSUMER':
      return new CodedError(ErrorCode.SLOW_CONSUMER, 'the client reads too slowly');
    case 'SHUTTING_DOWN':
      return new Problem('SHUTTING_DOWN', 'the server is shutting down');
    case 'RATE_LIMITED':
      return new CodedError(ErrorCode.RATE_LIMITED, 'too many requests');
    case 'IDLE':
      return new CodedError(ErrorCode.IDLE, 'nothing was asked for');
    default:
      return reason satisfies never;
  }
}
