import type { ServerResponse } from 'node:http';
import { pino } from 'pino';
import { Feed } from '../../src/feed/feed.js';
import type { FeedOptions } from '../../src/feed/feed.js';
import { SnapshotBudget } from '../../src/feed/snapshot-budget.js';
import type { SnapshotBudgetOptions } from '../../src/feed/snapshot-budget.js';
import { depthChannel } from '../../src/mexc/channels.js';
import { RestClient } from '../../src/mexc/rest-client.js';
import type { RestClientOptions } from '../../src/mexc/rest-client.js';
import { BookState } from '../../src/model/book-state.js';
import type { StateReason } from '../../src/model/book-state.js';
import { NO_SYMBOL } from '../../src/model/feed.js';
import type { FeedSink, KlinesRange, SideStream } from '../../src/model/feed.js';
import type { TrackedSymbol } from '../../src/model/symbol.js';
import { startFakeExchange } from './fake-exchange.js';
import type { FakeExchange } from './fake-exchange.js';
import { pushVersion } from './push-frame.js';
import { sendJson, startScriptedHttp } from './scripted-http.js';
import type { ScriptedHttp } from './scripted-http.js';

export type FeedEvent =
  | { readonly kind: 'lineUp'; readonly id: number }
  | { readonly kind: 'lineDown'; readonly id: number; readonly reason: StateReason }
  | { readonly kind: 'snapshot'; readonly id: number; readonly body: string }
  | { readonly kind: 'frame'; readonly id: number; readonly version: number }
  | { readonly kind: 'streamUp' | 'streamDown'; readonly id: number; readonly stream: SideStream }
  | { readonly kind: 'deals' | 'kline' | 'miniTickers'; readonly id: number }
  | { readonly kind: 'trades' | 'tickers' | 'text'; readonly id: number; readonly body: string }
  | { readonly kind: 'klines'; readonly id: number; readonly range: KlinesRange; readonly body: string };

/** Quick, so that tests need not wait; those about a period set it themselves. */
const quick = {
  firstDeltaWaitMs: 5,
  snapshotRetryMs: 10,
  snapshotRetryMaxMs: 80,
  snapshotSettleMs: 5000,
  liveStableMs: 60_000,
  refusedRetryMs: 20,
  refusedRetryMaxMs: 40,
  silentRetryMs: 5,
  silentRetryMaxMs: 20,
  klineIdleMs: 5,
  connection: { reconnectMs: 10, reconnectMaxMs: 50 },
};

export function tracked(id: number, turnover: number | null = 1000 - id): TrackedSymbol {
  return {
    id,
    symbol: `S${id}USDT`,
    baseAsset: `S${id}`,
    quoteAsset: 'USDT',
    priceScale: 2,
    quantityScale: 2,
    turnover,
    shard: 0,
    slot: id,
    serial: id + 1,
  };
}

export const name = (id: number): string => `S${id}USDT`;
export const channelOf = (id: number): string => depthChannel(name(id), '100ms');

/** A feed between a scripted exchange and a sink that writes down what it hears. */
export interface FeedHarness {
  readonly exchange: FakeExchange;
  readonly http: ScriptedHttp;
  readonly feed: Feed;
  readonly budget: SnapshotBudget;
  readonly events: FeedEvent[];
  /** What the shard does with a snapshot; by default its book is live from then on. */
  onSnapshot: (id: number) => void;
  onDepth: (symbol: string, response: ServerResponse) => void;
  onOther: (path: string, response: ServerResponse) => void;
  /** What the ring says to a frame. */
  onFrame: (id: number) => boolean;
  of(id: number): FeedEvent[];
  count(kind: FeedEvent['kind'], id?: number): number;
}

export type FeedHarnessOptions = Partial<FeedOptions> & {
  readonly budgetOptions?: SnapshotBudgetOptions;
  readonly restOptions?: Partial<RestClientOptions>;
};

/** Everything to be closed is added to `open`. Subscribes nothing but depth unless told. */
export async function setUpFeed(open: { close(): Promise<void> }[], options: FeedHarnessOptions = {}): Promise<FeedHarness> {
  const exchange = await startFakeExchange();
  const http = await startScriptedHttp((request, response) => {
    const symbol = new URL(request.url ?? '', 'http://x').searchParams.get('symbol') ?? '';
    if (request.url?.startsWith('/api/v3/depth') === true) harness.onDepth(symbol, response);
    else harness.onOther(request.url ?? '', response);
  });
  const events: FeedEvent[] = [];
  const sink: FeedSink = {
    frame: (id, bytes, start, end) => {
      events.push({ kind: 'frame', id, version: pushVersion(bytes.subarray(start, end)) });
      return harness.onFrame(id);
    },
    snapshot: (id, body) => {
      events.push({ kind: 'snapshot', id, body: Buffer.from(body).toString() });
      harness.onSnapshot(id);
    },
    lineDown: (id, reason) => void events.push({ kind: 'lineDown', id, reason }),
    lineUp: (id) => void events.push({ kind: 'lineUp', id }),
    streamUp: (id, stream) => void events.push({ kind: 'streamUp', id, stream }),
    streamDown: (id, stream) => void events.push({ kind: 'streamDown', id, stream }),
    deals: (id) => events.push({ kind: 'deals', id }) > 0,
    kline: (id) => events.push({ kind: 'kline', id }) > 0,
    text: (id, bytes) => events.push({ kind: 'text', id, body: Buffer.from(bytes).toString() }) > 0,
    miniTickers: () => events.push({ kind: 'miniTickers', id: NO_SYMBOL }) > 0,
    trades: (id, body) => void events.push({ kind: 'trades', id, body: Buffer.from(body).toString() }),
    klines: (id, range, body) => void events.push({ kind: 'klines', id, range, body: Buffer.from(body).toString() }),
    tickers: (body) => void events.push({ kind: 'tickers', id: NO_SYMBOL, body: Buffer.from(body).toString() }),
  };
  const logger = pino({ level: 'silent' });
  const budget = new SnapshotBudget({ ratePerSecond: 1000, random: () => 0, ...options.budgetOptions });
  const rest = new RestClient({ restUrl: http.url, budget, logger, ...options.restOptions });
  const { timings, ...others } = options;
  const feed = new Feed({
    wsUrl: exchange.url,
    interval: '100ms',
    rest,
    budget,
    sink,
    logger,
    random: () => 0,
    connectPerSecond: 1000,
    streams: [],
    ...others,
    timings: { ...quick, ...timings, connection: { ...quick.connection, ...timings?.connection } },
  });
  open.push(feed, rest, http, exchange);
  const harness: FeedHarness = {
    exchange,
    http,
    feed,
    budget,
    events,
    onSnapshot: (id) => feed.bookState(id, BookState.LIVE),
    onDepth: (_symbol, response) => sendJson(response, 200, { lastUpdateId: 1, bids: [], asks: [] }),
    onOther: (path, response) => sendJson(response, 200, [path]),
    onFrame: () => true,
    of: (id) => events.filter((event) => event.id === id),
    count: (kind, id) => events.filter((event) => event.kind === kind && (id === undefined || event.id === id)).length,
  };
  return harness;
}
