import type { handleServerStreamingCall, handleUnaryCall, sendUnaryData, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { PublicationSpec } from '../../model/publication.js';
import type { TrackedSymbol } from '../../model/symbol.js';
import type { GatewayContext } from '../context.js';
import { encodeOrderBook } from './book-message.js';
import { BookMode, parseBookSpec, parseDepth, SlowPolicy } from './requests.js';
import type { OrderBookRequest, OrderBookSubscriptionRequest } from './schema.js';
import { toStatus } from './status.js';
import { Stream, type StreamOptions } from './stream.js';
import type { StreamTable } from './stream-table.js';

/** What a subscription request comes to. */
interface Subscription {
  readonly symbol: TrackedSymbol;
  readonly spec: PublicationSpec;
  readonly options: StreamOptions;
}

/** The calls of `MarketDataService`. Every failure becomes a status with a code; only our own are logged. */
export function createCalls(context: GatewayContext, streams: StreamTable): UntypedServiceImplementation {
  const { answers, directory, logger, now } = context;

  function failed(error: unknown): ReturnType<typeof toStatus> {
    const status = toStatus(error);
    if (status.metadata.get('code')[0] === 'INTERNAL_ERROR') logger.error({ err: error }, 'gRPC call failed');
    return status;
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
    return (call, callback) => void reply(answer(call.request), callback);
  }

  function stream<Request>(subscription: (request: Request) => Promise<Subscription>): handleServerStreamingCall<Request, Buffer> {
    return (call) => {
      subscription(call.request)
        .then(({ symbol, spec, options }) => {
          if (call.cancelled) return;
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

    SubscribeToOrderBookUpdates: stream<OrderBookSubscriptionRequest>(async (request) => {
      const spec = parseBookSpec(request);
      const symbol = directory.require(request.symbol);
      const withStatus = request.with_status || request.mode === BookMode.DELTAS;
      // Whoever cannot be told of states must not wait for a book without a word.
      if (!withStatus) await answers.copy(symbol, 1, false, () => {});
      return { symbol, spec, options: { withStatus, disconnectWhenSlow: request.slow_policy === SlowPolicy.DISCONNECT } };
    }),
  };
}
