import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { CLOCK_EVERY_MS, ExchangeClock } from './engine/exchange-clock.js';
import { Market } from './engine/market.js';
import { Meters } from './engine/meters.js';
import { Pipeline } from './engine/pipeline.js';
import { Relisting } from './engine/relisting.js';
import { selectSymbols } from './engine/selection.js';
import { TICKERS_EVERY_MS, TickerRounds } from './engine/ticker-rounds.js';
import { SnapshotBudget } from './feed/snapshot-budget.js';
import type { FeedTimingsOverride } from './feed/timings.js';
import { type AccessOptions, resolveAccess } from './gateway/access/resolve.js';
import type { GatewayOptions } from './gateway/context.js';
import { type GrpcServer, startGrpcServer } from './gateway/grpc/server.js';
import { writeDocuments } from './gateway/openapi/document.js';
import { buildHttp } from './gateway/http.js';
import { type LocalSubscription, type PushMessage, subscribeLocally, type SubscribeRequest } from './gateway/local-subscription.js';
import { RestClient } from './mexc/rest-client.js';
import type { MarketData } from './model/market-data.js';
import type { ListedSymbol } from './model/symbol.js';
import { TAPE_TRADES_DEFAULT } from './model/trade.js';
import type { BookHandle } from './publish/shared-book.js';
import { TapeReader } from './publish/tape-reader.js';
import { TickerReader } from './publish/ticker-reader.js';
import { HEARTBEAT_CHECK_MS, ShardSupervisor } from './shard/supervisor.js';
import { createShardBuffers, retireShard, shardSizes } from './shard/task.js';
import { catchUp, systemClock } from './support/clock.js';
import type { SymbolSelection } from './support/config/index.js';
import { CodedError, ErrorCode } from './support/errors.js';

/** How often the shards hear the clock; the finest publication interval. */
const TICK_MS = 10;
/** Requests for the list of pairs at start-up. */
const LIST_ATTEMPTS_MAX = 3;

export interface EngineOptions extends AccessOptions {
  readonly symbols: SymbolSelection;
  /** Worker threads. */
  readonly workers: number;
  readonly host: string;
  /** 0 = any. */
  readonly port: number;
  /** Port of the gRPC interface; 0 = any, `off` (the default) = there is none. */
  readonly grpcPort?: number | 'off';
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly interval: '10ms' | '100ms';
  /** Snapshot requests per second. */
  readonly snapshotRate: number;
  /** A live book silent for longer (and for long by its own rhythm) is stale. */
  readonly staleAfterMs: number;
  /** Age in ms at which a connection to the exchange is replaced, or up to 3/47 of it earlier. Default 23.5 h. */
  readonly rotateAfterMs?: number;
  /** 2: every channel of the exchange on two connections, so that what one loses comes on the other. Default 1. */
  readonly lines?: number;
  /** Trades kept of each symbol. Default 1,000. */
  readonly tape?: number;
  /** Take the memory of tapes and candles when a symbol is tracked, not as they fill over hours. Default false. */
  readonly preallocate?: boolean;
  /**
   * For so many microseconds after the last push a worker looks for the next one before it sleeps, and the main thread for the worker's answer, up to 50. Takes a
   * core for each worker while pushes come. Default 0.
   */
  readonly spinUs?: number;
  /** From one audit of a book against the exchange to the next, in ms, when requests are to spare. Default `off`. */
  readonly audit?: number | 'off';
  readonly logger: Logger;
  /** Between two rounds of the exchange's 24 h figures. Default 60 s. */
  readonly tickersEveryMs?: number;
  /** Between two looks at the exchange's clock. Default 60 s. */
  readonly clockEveryMs?: number;
  /** Shorter times for tests. */
  readonly feedTimings?: FeedTimingsOverride;
  /** The built worker file; tests that run from the sources hand in their own. */
  readonly workerUrl?: URL;
}

export interface Engine {
  readonly market: MarketData;
  /** E.g. `http://127.0.0.1:8080`; with TLS `https`, and `wss` below. */
  readonly url: string;
  /** E.g. `ws://127.0.0.1:8080/ws`. */
  readonly wsUrl: string;
  /** What gRPC clients give to their channel, e.g. `127.0.0.1:50051`; `null` when it is off. */
  readonly grpcAddress: string | null;
  /**
   * Where a book lies, to be opened with `openBook` in any thread of the process; ends when the symbol is untracked or the engine is closed.
   * Throws CodedError SYMBOL_NOT_TRACKED.
   */
  bookHandle(symbol: string): BookHandle;
  /** Calls `listener` with every message of the push protocol that a WebSocket client with this subscription would get. */
  subscribe(request: SubscribeRequest, listener: (message: PushMessage) => void): LocalSubscription;
  /** Drains and ends everything; resolves when nothing of the engine is left. */
  close(): Promise<void>;
}

/**
 * Wires the stages and starts them: asks the exchange what it lists, starts the workers, listens, begins to subscribe. Resolves when clients can
 * connect; books become live one after the other from then on. Throws CodedError (EXCHANGE_…, SYMBOL_NOT_LISTED,
 * SYMBOL_CAPACITY_REACHED, WORKER_START_TIMEOUT, PUBLIC_WITHOUT_KEYS, TLS_UNUSABLE) or the listener's error, and leaves nothing behind when it does.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { audit = 'off', logger, spinUs = 0, workers } = options;
  const clock = systemClock;
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const { access, limits } = await resolveAccess(options.host, options, logger);
    const budget = new SnapshotBudget({ ratePerSecond: options.snapshotRate });
    const rest = new RestClient({ restUrl: options.restUrl, budget, logger });
    closers.push(() => rest.close());
    const { listed, tickers } = await listSymbols(rest, logger);
    const tickersReceivedMs = clock();
    const selected = selectSymbols(options.symbols, listed);
    const relisting = new Relisting(rest, listed, clock);
    const lookUp = async (name: string): Promise<ListedSymbol> => {
      if (!listed.has(name)) await relisting.done();
      const listing = listed.get(name);
      if (listing === undefined) throw new CodedError(ErrorCode.SYMBOL_NOT_LISTED, `the exchange does not trade ${name}`, { symbol: name });
      return listing;
    };

    const { lines = 1, tape = TAPE_TRADES_DEFAULT } = options;
    // The second copy of a trade is known by the first, which must still be there.
    const sizes = shardSizes(listed.size, lines === 2 ? Math.max(tape, TAPE_TRADES_DEFAULT) : tape);
    const buffers = Array.from({ length: workers }, () => createShardBuffers(sizes));
    const meters = new Meters();
    const pipeline: Pipeline = new Pipeline({
      buffers,
      wsUrl: options.wsUrl,
      interval: options.interval,
      lines,
      rest,
      budget,
      logger,
      clock,
      slotsPerShard: sizes.symbols,
      preallocate: options.preallocate ?? false,
      spinUs,
      meters,
      stuck: (shard) => supervisor.replace(shard),
      ...(audit !== 'off' && { auditEveryMs: audit }),
      feedTimings: { ...(options.rotateAfterMs !== undefined && { connectionAgeMaxMs: options.rotateAfterMs }), ...options.feedTimings },
    });
    const { audits, feed, hub, ingress, egresses, symbols, readers, candles } = pipeline;
    const supervisor: ShardSupervisor = new ShardSupervisor({
      shards: buffers,
      staleAfterMs: options.staleAfterMs,
      lines,
      spinUs,
      workerUrl: options.workerUrl ?? new URL('../workers/shard.worker.js', import.meta.url),
      logger,
      clock,
      lost: (shard) => pipeline.workerLost(shard),
    });
    closers.push(async () => {
      ingress.shutDown();
      await supervisor.stop();
      for (const shard of buffers) retireShard(shard);
      pipeline.stopListening();
    });
    closers.push(() => feed.close());
    const tickerRounds = new TickerRounds({
      request: () => feed.requestTickers(),
      everyMs: options.tickersEveryMs ?? TICKERS_EVERY_MS,
      logger,
    });
    closers.push(() => tickerRounds.close());

    const exchangeClock = new ExchangeClock({
      request: () => feed.requestTime(),
      everyMs: options.clockEveryMs ?? CLOCK_EVERY_MS,
      logger,
    });
    closers.push(() => exchangeClock.close());

    const market = new Market({
      instance: randomBytes(4).toString('hex'),
      source: { venue: 'mexc', simulated: rest.simulated, wsUrl: options.wsUrl, restUrl: options.restUrl },
      symbols,
      readers,
      tickers: buffers.map(({ tickers }) => new TickerReader(tickers)),
      tapes: buffers.map(({ tapes }) => new TapeReader(tapes)),
      feed,
      ingress,
      supervisor,
      meters: () => meters.read({ audits, buffers, ingress, egresses, feed, budget }),
      clock,
      exchangeClock,
      candles,
      audits,
      auditEveryMs: audit === 'off' ? null : audit,
      track: async (name) => {
        const present = symbols.find(name);
        if (present !== undefined) return { symbol: present, added: false };
        const listing = await lookUp(name);
        // It may have been tracked while the exchange was asked.
        const raced = symbols.find(name);
        if (raced !== undefined) return { symbol: raced, added: false };
        const symbol = pipeline.add(listing);
        feed.track(symbol);
        tickerRounds.soon();
        logger.info({ symbol: name, shard: symbol.shard }, 'symbol tracked');
        return { symbol, added: true };
      },
      untrack: (name) => {
        const symbol = symbols.find(name);
        if (symbol === undefined) return false;
        pipeline.untrack(symbol);
        logger.info({ symbol: name }, 'symbol untracked');
        return true;
      },
    });

    const tracked = selected.map((listing) => pipeline.add(listing));
    ingress.tickers(tickers, tickersReceivedMs);
    pipeline.startListening();
    await supervisor.start();
    let rangMs = clock();
    const ticker = setInterval(() => {
      const sleptMs = catchUp();
      if (sleptMs > 0) logger.warn({ sleptMs: Math.round(sleptMs) }, 'the clock jumped: the machine slept, or its clock was set');
      rangMs += sleptMs;
      const nowMs = clock();
      meters.eventLoopDelay.record(Math.max(0, nowMs - rangMs - TICK_MS));
      rangMs = nowMs;
      ingress.tick(nowMs);
    }, TICK_MS);
    const heartbeats = setInterval(() => {
      supervisor.checkHeartbeats();
      candles.check();
    }, HEARTBEAT_CHECK_MS);
    closers.push(() => {
      clearInterval(ticker);
      clearInterval(heartbeats);
    });

    const gateway: GatewayOptions = { market, hub, logger, access, ...limits };
    const http = await buildHttp(gateway);
    closers.push(() => http.close());
    await http.ready();
    writeDocuments(http);
    // Fastify would open a second server on ::1, of which limits and closing know nothing.
    const host = options.host === 'localhost' ? '127.0.0.1' : options.host;
    await http.listen({ host, port: options.port });
    const { address, family, port } = http.server.address() as AddressInfo;
    const authority = `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
    const grpc = await listenForGrpc({ ...options, host }, gateway);
    closers.push(() => grpc?.close());
    feed.start(tracked);
    tickerRounds.start();
    exchangeClock.start();
    return {
      market,
      url: `${access.tls === undefined ? 'http' : 'https'}://${authority}`,
      wsUrl: `${access.tls === undefined ? 'ws' : 'wss'}://${authority}/ws`,
      grpcAddress: grpc?.address ?? null,
      bookHandle: (name) => {
        const symbol = symbols.find(name);
        if (symbol === undefined) throw new CodedError(ErrorCode.SYMBOL_NOT_TRACKED, `${name} is not tracked`, { symbol: name });
        return { symbol: symbol.symbol, books: buffers[symbol.shard]!.books, slot: symbol.slot, serial: symbol.serial };
      },
      subscribe: (request, listener) => subscribeLocally({ market, hub }, request, listener),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listenForGrpc({ host, grpcPort = 'off' }: EngineOptions, options: GatewayOptions): Promise<GrpcServer | undefined> {
  return grpcPort === 'off' ? undefined : startGrpcServer({ ...options, host, port: grpcPort });
}

/** The exchange's pairs, and its answer about their last 24 hours. A throttled request is made again when the budget's pause is over, a few times. */
async function listSymbols(
  rest: RestClient,
  logger: Logger,
): Promise<{ readonly listed: Map<string, ListedSymbol>; readonly tickers: Uint8Array }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { symbols, tickers } = await rest.listing();
      return { listed: new Map(symbols.map((symbol) => [symbol.symbol, symbol])), tickers };
    } catch (error) {
      const throttled = error instanceof CodedError && error.code === ErrorCode.EXCHANGE_THROTTLED;
      if (!throttled || attempt === LIST_ATTEMPTS_MAX) throw error;
      logger.warn({ attempt, code: error.code }, 'the exchange is throttled, its list of pairs is asked for again');
    }
  }
}
