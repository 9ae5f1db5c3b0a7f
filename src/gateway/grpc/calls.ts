import { CodedError, ErrorCode } from '../../support/errors.js';
import type {
  Metadata,
  handleServerStreamingCall,
  handleUnaryCall,
  sendUnaryData,
  ServerUnaryCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { Channel, Format, type PublicationSpec } from '../../model/publication.js';
import type { TrackedSymbol } from '../../model/symbol.js';
import { keyOf } from '../access/shown-key.js';
import { Problem } from '../problem.js';
import type { GatewayContext } from '../context.js';
import { encodeOrderBook } from './book-message.js';
import { encodeTicker } from './ticker-message.js';
import { readTrades } from '../read-trades.js';
import { BookMode, parseBookSpec, parseDepth, parseLimit, parseTickerSpec, SlowPolicy } from './requests.js';
import {
  type OrderBookRequest,
  type OrderBookSubscriptionRequest,
  type RecentTradesRequest,
  type SymbolRequest,
  type TickerSubscriptionRequest,
  UNREADABLE,
} from './schema.js';
import { toStatus } from './status.js';
import { Stream, type StreamOptions } from './stream.js';
import type { StreamTable } from './stream-table.js';
import { encodeTrades } from './trades-message.js';
import { UnreadAnswers } from './unread-answers.js';

/** What a subscription request comes to. */
interface Subscription {
  readonly symbol: TrackedSymbol;
  readonly spec: PublicationSpec;
  readonly options: StreamOptions;
}

/** The calls of `MarketDataService`. Every failure becomes a status with a code; only our own are logged. */
export function createCalls(context: GatewayContext, streams: StreamTable): UntypedServiceImplementation {
  const { answers, directory, keys, limits, logger, market, now, refusals } = context;
  const unread = new UnreadAnswers(limits.grpcUnreadBytes, limits.stalledMs);

  function failed(error: unknown): ReturnType<typeof toStatus> {
    const status = toStatus(error);
    if (status.metadata.get('code')[0] === 'INTERNAL_ERROR') logger.error({ err: error }, 'gRPC call failed');
    return status;
  }

  /** Of a pair just tracked nothing is known, and nothing but zeros would be the answer. Throws BOOK_NOT_LIVE. */
  async function requireKnown(symbol: TrackedSymbol): Promise<void> {
    // The first value is the name.
    const known = await answers.tickerOf(symbol, (_copy, ticker) =>
      Object.values(ticker)
        .slice(1)
        .some((value) => value !== null),
    );
    if (!known) await answers.copy(symbol, 1, false, () => {});
  }

  /** Every call reads, and none does more. Throws KEY_REQUIRED, KEY_UNKNOWN. */
  function admit(metadata: Metadata): void {
    if (!keys.required) return;
    try {
      keys.admit(keyOf(metadata.get('authorization')[0], metadata.get('x-api-key')[0]), 'read');
    } catch (error) {
      refusals.counts.key++;
      throw error;
    }
  }

  /** Throws BAD_REQUEST. */
  function requireReadable(request: unknown): void {
    if (request === UNREADABLE) throw new Problem('BAD_REQUEST', 'the request is no message of the contract');
  }

  async function reply(answer: Promise<Buffer>, callback: sendUnaryData<Buffer>): Promise<void> {
    let bytes: Buffer;
    try {
      bytes = await answer;
    } catch (error) {
      callback(failed(error));
      return;
    }
    callback(null, bytes);
  }

  function unary<Request>(answer: (request: Request) => Promise<Buffer>): handleUnaryCall<Request, Buffer> {
    const answered = async (call: ServerUnaryCall<Request, Buffer>): Promise<Buffer> => {
      admit(call.metadata);
      requireReadable(call.request);
      const bytes = await answer(call.request);
      unread.add(call, bytes.length);
      return bytes;
    };
    return (call, callback) => void reply(answered(call), callback);
  }

  /** Thousands of depths and speeds are possible; a shard that encoded a book in all of them would do nothing else. Throws SUBSCRIPTION_LIMIT. */
  function requireVariant(symbol: TrackedSymbol, spec: PublicationSpec): void {
    const { hub, limits } = context;
    if (hub.otherVariants(symbol, spec) < limits.grpcVariantsPerSymbol) return;
    const text = `${symbol.symbol} is sent with ${limits.grpcVariantsPerSymbol} different depths and speeds already: ask for one of those`;
    throw new CodedError(ErrorCode.SUBSCRIPTION_LIMIT, text, { symbol: symbol.symbol });
  }

  function stream<Request>(subscription: (request: Request) => Promise<Subscription>): handleServerStreamingCall<Request, Buffer> {
    const admitted = async (metadata: Metadata, request: Request): Promise<Subscription> => {
      admit(metadata);
      requireReadable(request);
      return subscription(request);
    };
    return (call) => {
      admitted(call.metadata, call.request)
        .then(({ symbol, spec, options }) => {
          if (call.cancelled) return;
          const { symbol: name } = symbol;
          // While its book was read the symbol may have gone, and another have its place.
          if (market.find(name) !== symbol)
            throw new CodedError(ErrorCode.SYMBOL_UNTRACKED, `${name} is no longer tracked`, { symbol: name });
          requireVariant(symbol, spec);
          streams.add(call.getPeer(), (done) => new Stream(call, context, symbol, spec, options, done));
        })
        .catch((error: unknown) => call.emit('error', failed(error)));
    };
  }

  return {
    GetOrderBook: unary<OrderBookRequest>(async (request) => {
      const depth = parseDepth(request);
      const symbol = directory.require(request.symbol);
      return answers.copy(symbol, depth, request.allow_stale, (copy) => encodeOrderBook(symbol.symbol, copy, request.exact, now()));
    }),

    GetTicker: unary<SymbolRequest>(async (request) => {
      const symbol = directory.require(request.symbol);
      await requireKnown(symbol);
      return answers.tickerOf(symbol, (copy, ticker) => encodeTicker(copy, ticker, now()));
    }),

    GetRecentTrades: unary<RecentTradesRequest>(async ({ symbol: name, limit, before }) => {
      const count = parseLimit(limit);
      const symbol = directory.require(name);
      return encodeTrades(await readTrades(market, symbol, count, before === 0 ? null : before));
    }),

    SubscribeToOrderBookUpdates: stream<OrderBookSubscriptionRequest>(async (request) => {
      const spec = parseBookSpec(request);
      const symbol = directory.require(request.symbol);
      const withStatus = request.with_status || request.mode === BookMode.DELTAS;
      // Whoever cannot be told of states must not wait for a book without a word.
      if (!withStatus) await answers.copy(symbol, 1, false, () => {});
      return { symbol, spec, options: { withStatus, disconnectWhenSlow: request.slow_policy === SlowPolicy.DISCONNECT } };
    }),

    SubscribeToTrades: stream<SymbolRequest>(async (request) => {
      const spec = { channel: Channel.TRADE, depth: 0, intervalMs: 0, format: Format.PROTOBUF };
      return { symbol: directory.require(request.symbol), spec, options: alwaysOfUse };
    }),

    SubscribeToTickers: stream<TickerSubscriptionRequest>(async (request) => {
      const spec = parseTickerSpec(request);
      const symbol = directory.require(request.symbol);
      await requireKnown(symbol);
      return { symbol, spec, options: alwaysOfUse };
    }),
  };
}

/** A stream that needs no live book. */
const alwaysOfUse: StreamOptions = { withStatus: true, disconnectWhenSlow: false };
