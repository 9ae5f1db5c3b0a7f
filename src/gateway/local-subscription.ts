import type { MarketData } from '../model/market-data.js';
import type { ChannelName } from '../model/publication.js';
import type { TrackedSymbol } from '../model/symbol.js';
import type { PublicationHub } from '../publish/publication-hub.js';
import type { ClientConnection, Outlet } from '../publish/client-connection.js';
import type { Publication } from '../publish/subscription.js';
import type { SkippedRun } from '../publish/trade-backlog.js';
import { systemClock } from '../support/clock.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { defaultGatewayLimits } from './limits.js';
import { canonicalSymbol } from './symbol-directory.js';
import { endedMessage, parseClientMessage, skippedMessage } from './ws/protocol.js';

/** The `subscribe` message of the push protocol without `op` and `id`: `{ channel: 'book', symbols: ['BTCUSDT'], depth: 5, interval: 100 }`. */
export interface SubscribeRequest {
  readonly channel: ChannelName;
  readonly symbols: readonly string[];
  readonly [parameter: string]: unknown;
}

/** A message of the push protocol. */
export type PushMessage = Readonly<Record<string, unknown>>;

export interface LocalSubscription {
  /** Nothing comes after it returned. May be called by a listener. */
  close(): void;
}

/**
 * Subscribes this process itself: `listener` gets what a WebSocket client would get, parsed, in the same order. It is called when the deliveries under way are
 * through, and holds up the next ones, so it had better be brief; what it throws is thrown again by itself and disturbs nobody. Throws CodedError with the
 * code of the push protocol when the request is wrong or a symbol is not tracked.
 */
export function subscribeLocally(
  { market, hub }: { readonly market: MarketData; readonly hub: PublicationHub },
  request: SubscribeRequest,
  listener: (message: PushMessage) => void,
): LocalSubscription {
  const message = parseClientMessage(JSON.stringify({ ...request, op: 'subscribe', id: undefined }), defaultGatewayLimits);
  if (message.op === 'error') throw new CodedError(message.code, message.message);
  if (message.op !== 'subscribe') throw new CodedError(ErrorCode.BAD_MESSAGE, 'this is no subscription');
  const symbols = message.symbols.map((name): TrackedSymbol => {
    const symbol = market.find(name) ?? market.find(canonicalSymbol(name));
    if (symbol === undefined) throw new CodedError(ErrorCode.SYMBOL_NOT_TRACKED, `${name} is not tracked`, { symbol: name });
    return symbol;
  });
  const connection = new LocalConnection(listener);
  const subscriber = hub.addClient(connection);
  for (const symbol of new Set(symbols)) hub.subscribe(subscriber, symbol, message.spec);
  return {
    close: () => {
      connection.terminate();
      hub.removeClient(subscriber);
    },
  };
}

/**
 * A client that is never slow: what is written to it is delivered as soon as the hub is through with its other clients. From the middle of that a listener
 * could not close a subscription, or make one.
 */
class LocalConnection implements ClientConnection {
  readonly outlet: Outlet;
  readonly #listener: (message: PushMessage) => void;
  #waiting: PushMessage[] = [];
  #open = true;

  constructor(listener: (message: PushMessage) => void) {
    this.#listener = listener;
    this.outlet = {
      writableLength: 0,
      writableNeedDrain: false,
      cork: () => {},
      uncork: () => {},
      write: (frame: Buffer) => this.#deliver(JSON.parse(payloadOf(frame)) as PushMessage),
    };
  }

  isOpen(): boolean {
    return this.#open;
  }

  close(): void {
    this.#open = false;
  }

  terminate(): void {
    this.#open = false;
  }

  takesState(): boolean {
    return true;
  }

  publicationEnded(publication: Publication): void {
    this.#deliver({ ...endedMessage(publication.symbol.symbol, publication.spec) });
  }

  tradesSkipped(publication: Publication, skipped: SkippedRun): void {
    this.#deliver({ ...skippedMessage(publication.symbol.symbol, skipped, systemClock()) });
  }

  #deliver(message: PushMessage): void {
    if (this.#waiting.push(message) === 1) queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    for (const message of messages) {
      if (!this.#open) return;
      try {
        this.#listener(message);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** The text of a whole unmasked WebSocket frame. */
function payloadOf(frame: Buffer): string {
  const length = frame[1]!;
  return frame.toString('utf8', length < 126 ? 2 : length === 126 ? 4 : 10);
}
