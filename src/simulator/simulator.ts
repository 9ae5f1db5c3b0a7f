import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { CodedError, ErrorCode } from '../support/errors.js';
import { FaultInjector } from './fault-injector.js';
import type { FaultSpec } from './faults.js';
import { defaultLimits, type SimulatorLimits } from './limits.js';
import type { Market } from './market.js';
import { RecordedMarket } from './recorded-market.js';
import { loadRecording } from './recording.js';
import { RestBudget } from './rest-budget.js';
import { RestServer } from './rest-server.js';
import { type TrueBook, trueBookView, type TrueTrade, trueTradesView } from './rest-views.js';
import { StreamHub } from './stream-hub.js';
import { StreamServer } from './stream-server.js';
import { namedListings, syntheticListings } from './synthetic-listing.js';
import { SyntheticMarket } from './synthetic-market.js';

export { type FaultSpec, parseFaults } from './faults.js';
export { defaultLimits, type SimulatorLimits } from './limits.js';
export type { TrueBook, TrueTrade } from './rest-views.js';

export interface SimulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** The made-up market: how many symbols (1 to 20,000), or which. Default 50. Ignored with `replay`. */
  readonly symbols?: number | readonly string[];
  /** Depth pushes per second and symbol on average, above 0 to 100. Default 2. Beyond about 8 the 100 ms channel has no more pushes, only larger ones. */
  readonly rate?: number;
  /** Seconds of the made-up market's clock per second, above 0 to 1,000: its minutes pass sooner, not its changes. Default 1. */
  readonly clockSpeed?: number;
  /** A whole number; the same seed makes the same market. Default 1. */
  readonly seed?: number;
  /** Recorded sessions to play instead of a made-up market. */
  readonly replay?: string | readonly string[];
  /** Times as fast as recorded, or `max`: as fast as the clients take it. Default 1. */
  readonly speed?: number | 'max';
  /** Playback waits for a subscriber to the depth of every symbol, and at each recorded snapshot for a depth request. Default false. */
  readonly waitForClient?: boolean;
  /** Playback waits until the trades of every symbol that has some are subscribed to and were asked for. Default false. */
  readonly waitForTrades?: boolean;
  readonly faults?: readonly FaultSpec[];
  readonly limits?: Partial<SimulatorLimits>;
  /** What a message that is no request gets: nothing (default), or an answer with a code other than 0. The real exchange's way is not known. */
  readonly malformedRequests?: 'ignore' | 'refuse';
}

export interface SimulatorStats {
  readonly simulated: true;
  readonly market: 'synthetic' | 'replay';
  readonly symbols: number;
  readonly connections: number;
  /** Channels with at least one subscriber. */
  readonly channels: number;
  /** Pushes made, each counted once whatever the number of its subscribers. */
  readonly pushes: number;
  readonly bytesSent: number;
  readonly requests: number;
  /** Of those, how many asked for a book. */
  readonly depthRequests: number;
  readonly requestsRefused: number;
  readonly faultsBegun: number;
  readonly faultsWaiting: number;
  /** Events of the recording; `null` for a made-up market. */
  readonly playback: { readonly played: number; readonly total: number } | null;
}

export interface Simulator {
  readonly port: number;
  /** `ws://HOST:PORT/ws` */
  readonly wsUrl: string;
  /** `http://HOST:PORT` */
  readonly restUrl: string;
  readonly symbols: readonly string[];
  readonly injectFault: (fault: FaultSpec) => void;
  /** The whole book of this moment, trimmed numbers. Throws SYMBOL_NOT_LISTED. */
  readonly trueBook: (symbol: string) => TrueBook;
  /** The last trades, oldest first: up to 1,000 of the first 100 symbols, 200 of the others. Throws SYMBOL_NOT_LISTED. */
  readonly trueTrades: (symbol: string) => readonly TrueTrade[];
  /** When a recording was played and everything was handed to the sockets, or the simulator was closed; a made-up market never ends by itself. */
  readonly replayDone: Promise<void>;
  readonly stats: () => SimulatorStats;
  readonly close: () => Promise<void>;
}

/**
 * Starts a MEXC spot exchange on this machine: the same stream, REST answers, limits and oddities, from a made-up market or a recording, with
 * faults on request. Every REST answer is marked by the header `x-simulated-exchange`. Throws CONFIG_INVALID, RECORDING_MALFORMED, or the
 * system's error when the port is taken.
 */
export async function startSimulator(options: SimulatorOptions = {}, logger?: Logger): Promise<Simulator> {
  const { market, hub, faults } = await createMarket(options, logger);
  const limits = { ...defaultLimits, ...(options.replay !== undefined && { depthLevelsMax: 5_000 }), ...options.limits };
  const budget = new RestBudget(limits);
  const stats = (): SimulatorStats => ({
    simulated: true,
    market: market instanceof RecordedMarket ? 'replay' : 'synthetic',
    symbols: market.symbols.length,
    connections: hub.connections.size,
    channels: hub.topicCount,
    pushes: hub.pushes,
    bytesSent: hub.bytes,
    requests: rest.requests,
    depthRequests: rest.depthRequests,
    requestsRefused: budget.refused,
    faultsBegun: faults.begun,
    faultsWaiting: faults.waitingCount,
    playback: market instanceof RecordedMarket ? market.progress : null,
  });
  const rest = new RestServer({ market, faults, budget, limits, status: stats, logger });
  const server = createServer(rest.handle);
  const streams = new StreamServer(server, hub, { limits, malformedRequests: options.malformedRequests ?? 'ignore' });
  const host = options.host ?? '127.0.0.1';
  try {
    await listen(server, host, options.port ?? 0);
  } catch (error) {
    streams.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  for (const fault of options.faults ?? []) faults.add(fault);
  market.start();
  logger?.info({ port, symbols: market.symbols.length, market: stats().market }, 'simulated exchange listening');

  let closing: Promise<void> | undefined;
  return {
    port,
    wsUrl: `ws://${authority}/ws`,
    restUrl: `http://${authority}`,
    symbols: market.symbols.map(({ listing }) => listing.symbol),
    injectFault: (fault) => faults.add(fault),
    trueBook: (symbol) => trueBookOf(market, symbol),
    trueTrades: (symbol) => {
      const found = market.find(symbol);
      if (found !== undefined) return trueTradesView(found);
      throw new CodedError(ErrorCode.SYMBOL_NOT_LISTED, `the simulated exchange has no "${symbol}"`, { symbol });
    },
    replayDone: market.done,
    stats,
    close: () => {
      closing ??= close();
      return closing;
    },
  };

  function close(): Promise<void> {
    faults.close();
    market.close();
    streams.close();
    rest.close();
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }
}

async function createMarket(
  options: SimulatorOptions,
  logger: Logger | undefined,
): Promise<{ market: Market; hub: StreamHub; faults: FaultInjector }> {
  checkOptions(options);
  const faults = new FaultInjector({
    dropConnections: (symbol, closeCode) => {
      for (const connection of hub.carrying(symbol)) connection.drop(closeCode);
    },
    freezeConnections: (symbol) => {
      for (const connection of hub.carrying(symbol)) connection.freeze();
    },
    keepHistory: (symbol) => market.keepHistory(symbol),
  });
  const hub = new StreamHub(faults);
  const market = options.replay === undefined ? syntheticMarket(hub, options) : await recordedMarket(hub, options, options.replay, logger);
  hub.attach(market);
  return { market, hub, faults };
}

function syntheticMarket(hub: StreamHub, options: SimulatorOptions): Market {
  const seed = options.seed ?? 1;
  const symbols = options.symbols ?? 50;
  const listings = typeof symbols === 'number' ? syntheticListings(symbols, seed) : namedListings(symbols, seed);
  return new SyntheticMarket(hub, { listings, rate: options.rate ?? 2, seed, startMs: Date.now(), clockSpeed: options.clockSpeed ?? 1 });
}

async function recordedMarket(
  hub: StreamHub,
  options: SimulatorOptions,
  replay: string | readonly string[],
  logger: Logger | undefined,
): Promise<Market> {
  const recording = await loadRecording(typeof replay === 'string' ? [replay] : replay);
  const { speed = 1, waitForClient = false, waitForTrades = false } = options;
  return new RecordedMarket(hub, recording, { speed, waitForClient, waitForTrades }, logger);
}

const SYMBOLS_MAX = 20_000;
const RATE_MAX = 100;
const CLOCK_SPEED_MAX = 1_000;

function checkOptions({ symbols, rate, clockSpeed, seed, speed, replay }: SimulatorOptions): void {
  const errors: string[] = [];
  const count = typeof symbols === 'number' ? symbols : (symbols?.length ?? 1);
  if (!Number.isInteger(count) || count < 1 || count > SYMBOLS_MAX) errors.push(`symbols: 1 to ${SYMBOLS_MAX}, or a list of names`);
  if (rate !== undefined && !(rate > 0 && rate <= RATE_MAX)) errors.push(`rate: above 0, at most ${RATE_MAX}`);
  if (clockSpeed !== undefined && !(clockSpeed > 0 && clockSpeed <= CLOCK_SPEED_MAX)) {
    errors.push(`clockSpeed: above 0, at most ${CLOCK_SPEED_MAX}`);
  }
  if (seed !== undefined && !Number.isSafeInteger(seed)) errors.push('seed: a whole number');
  if (speed !== undefined && speed !== 'max' && !(speed > 0 && Number.isFinite(speed))) errors.push('speed: a number above 0, or "max"');
  if (replay !== undefined && replay.length === 0) errors.push('replay: at least one file');
  if (errors.length > 0) throw new CodedError(ErrorCode.CONFIG_INVALID, `simulated exchange: ${errors.join('; ')}`, { errors });
}

function trueBookOf(market: Market, name: string): TrueBook {
  const symbol = market.find(name);
  const book = symbol?.book();
  if (symbol === undefined || book === undefined) {
    throw new CodedError(ErrorCode.SYMBOL_NOT_LISTED, `the simulated exchange has no book of "${name}"`, { symbol: name });
  }
  return trueBookView(symbol, book);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
