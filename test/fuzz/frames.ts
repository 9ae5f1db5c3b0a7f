import { ASKS, BIDS, COUNT_REFUSED, headerInts } from '../../src/book/book-layout.js';
import { LEVELS } from '../../src/book/ladder-layout.js';
import { Arena } from '../../src/memory/arena.js';
import { type BookCopy, createBookCopy } from '../../src/model/book-copy.js';
import { BookState, StateReason } from '../../src/model/book-state.js';
import { Channel, Format } from '../../src/model/publication.js';
import { Prng } from '../../src/simulator/prng.js';
import { deal, dealsFrame, tradesBody } from '../support/deals.js';
import { depthFrame } from '../support/depth-frame.js';
import { checkLadder } from '../support/ladder-integrity.js';
import { encodePush } from '../support/mexc-schema.js';
import { ShardBench, SYMBOL } from '../support/shard-bench.js';
import { Mutator } from './mutator.js';
import { pushMiniTickers } from '../support/pushes-in-a-buffer.js';
import { type FuzzReport, HANG_MS } from './report.js';

/** The book begins anew so often: numbers with ever more decimals end in a book that takes none. */
const LIFE = 2_000;
const FINDINGS_MAX = 10;
const MID = 1_000_000;
const NOW = 1_790_281_246_250;

type Send = (bench: ShardBench, bytes: Uint8Array) => void;

/** A kind of input: a sound one, made for the book as it is, and how it goes in. */
interface Kind {
  readonly name: string;
  readonly weight: number;
  make(random: Prng, version: number): Uint8Array;
  readonly send: Send;
}

const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const price = (random: Prng): string => ((MID + random.below(400) - 200) / 100).toFixed(random.below(3));
const quantity = (random: Prng): string => (random.below(3) === 0 ? '0' : (random.below(1_000_000) / 1000).toFixed(random.below(4)));
const bid = (random: Prng): [string, string] => [((MID - 1 - random.below(200)) / 100).toFixed(2), quantity(random)];
const ask = (random: Prng): [string, string] => [((MID + 1 + random.below(200)) / 100).toFixed(2), quantity(random)];
const some = <T>(random: Prng, most: number, one: (random: Prng) => T): T[] =>
  Array.from({ length: random.below(most + 1) }, () => one(random));
const fullTicker = (symbol: string): object => ({
  symbol,
  lastPrice: '10000.5',
  openPrice: '9000',
  highPrice: '11000',
  lowPrice: '8000',
  volume: '12.5',
  quoteVolume: '125000',
  bidPrice: '10000',
  bidQty: '1',
  askPrice: '10001',
  askQty: '2',
  priceChange: '1000.5',
  priceChangePercent: '0.11',
  prevClosePrice: '9000',
  openTime: NOW - 86_400_000,
  closeTime: NOW,
});

const kinds: readonly Kind[] = [
  {
    name: 'depth push',
    weight: 12,
    make: (random, version) =>
      depthFrame({
        bids: some(random, 8, bid),
        asks: some(random, 8, ask),
        from: version + 1,
        to: version + 1 + random.below(3),
        sendTime: NOW,
      }),
    send: (bench, bytes) => bench.frame(bytes),
  },
  {
    name: 'depth answer',
    weight: 2,
    make: (random, version) => text({ lastUpdateId: version + random.below(3), bids: some(random, 30, bid), asks: some(random, 30, ask) }),
    send: (bench, bytes) => bench.snapshot(bytes),
  },
  {
    name: 'trades push',
    weight: 4,
    make: (random) =>
      dealsFrame(
        some(random, 5, () => deal(NOW + random.below(9_999), { price: price(random), quantity: '0.5', sell: random.below(2) === 0 })),
      ),
    send: (bench, bytes) => bench.deals(bytes),
  },
  {
    name: 'trades answer',
    weight: 1,
    make: (random) => tradesBody(some(random, 20, () => deal(NOW + random.below(9_999), { price: price(random) }))),
    send: (bench, bytes) => bench.trades(bytes),
  },
  {
    name: 'candle push',
    weight: 2,
    make: (random) =>
      encodePush({
        channel: `spot@public.kline.v3.api.pb@${SYMBOL}@Min1`,
        symbol: SYMBOL,
        publicSpotKline: {
          interval: 'Min1',
          windowStart: Math.floor(NOW / 60_000) * 60,
          openingPrice: price(random),
          closingPrice: price(random),
          highestPrice: price(random),
          lowestPrice: price(random),
          volume: '12.5',
          amount: '125000',
          windowEnd: Math.floor(NOW / 60_000) * 60 + 60,
        },
      }),
    send: (bench, bytes) => bench.kline(bytes),
  },
  {
    name: 'tickers push',
    weight: 2,
    make: (random) =>
      encodePush({
        channel: 'spot@public.miniTickers.v3.api.pb@24H',
        sendTime: NOW,
        publicMiniTickers: {
          items: [SYMBOL, 'XUSDT'].map((symbol) => ({
            symbol,
            price: price(random),
            rate: '0.01',
            zonedRate: '0.01',
            high: '11000',
            low: '9000',
            volume: '125000',
            quantity: '12.5',
            lastCloseRate: '0.01',
            lastCloseZonedRate: '0.01',
            lastCloseHigh: '11000',
            lastCloseLow: '9000',
          })),
        },
      }),
    send: (bench, bytes) => {
      pushMiniTickers(bench.ingress, bytes, bench.now);
      bench.work();
    },
  },
  {
    name: 'tickers answer',
    weight: 1,
    make: () => text([fullTicker(SYMBOL), fullTicker('XUSDT')]),
    send: (bench, bytes) => {
      bench.ingress.tickers(bytes, bench.now);
      bench.work();
    },
  },
  {
    name: 'text frame',
    weight: 4,
    make: (random, version) => {
      const book = { s: SYMBOL, t: NOW, v: version + 1, b: some(random, 5, bid), a: some(random, 5, ask) };
      const trade = { s: SYMBOL, p: price(random), q: '0.2', v: '20', t: NOW, m: random.below(2) === 0 };
      const ticker = { s: SYMBOL, o: '80', h: '90', l: '70', c: price(random), v: '1.5', qv: '100', t: NOW };
      const [c, d] = [
        ['depth', book],
        ['depth.snapshot', book],
        ['deals', trade],
        ['ticker', ticker],
      ][random.below(4)]!;
      return text({ c, s: SYMBOL, d, t: NOW });
    },
    send: (bench, bytes) => {
      bench.ingress.text(301, bytes, bench.now);
      bench.work();
    },
  },
];
const totalWeight = kinds.reduce((sum, { weight }) => sum + weight, 0);

/**
 * Sends `count` inputs of the exchange, nearly all of them broken, through the rings of a real shard that publishes in every format.
 * What must hold: nothing is thrown, nothing hangs, a depth input that is refused leaves the book as it was, a live book is sound, every JSON
 * message can be parsed.
 */
export function fuzzFrames(count: number, seed: number): FuzzReport {
  const random = new Prng(seed, 'fuzz-frames');
  const mutator = new Mutator(random);
  const findings: string[] = [];
  let slowestMs = 0;
  let refused = 0;
  let sent = 0;
  let other: Uint8Array = new Uint8Array(0);
  const [copyBefore, copyAfter] = [createBookCopy(1024), createBookCopy(1024)];
  while (sent < count && findings.length < FINDINGS_MAX) {
    const bench = newBench();
    const arena = new Arena(bench.buffers.books);
    for (let i = 0; i < LIFE && sent < count && findings.length < FINDINGS_MAX; i++, sent++) {
      if (bench.book(1, -1).state !== BookState.LIVE) revive(bench);
      const kind = pick(random);
      const before = read(bench, copyBefore);
      const sound = kind.make(random, before.version);
      const bytes = random.below(8) === 0 ? sound : mutator.mutate(sound, other);
      other = sound;
      const story = (what: string): void => {
        findings.push(`seed ${seed}, input ${sent}, ${kind.name} ${Buffer.from(bytes).toString('base64')}: ${what}`);
      };
      const refusalsBefore = bench.counter(COUNT_REFUSED);
      const started = process.cpuUsage();
      try {
        kind.send(bench, bytes);
        if (i % 16 === 0) bench.tick(10);
      } catch (error) {
        story(`threw ${String(error)}`);
        break;
      }
      const { user, system } = process.cpuUsage(started);
      const tookMs = (user + system) / 1000;
      slowestMs = Math.max(slowestMs, tookMs);
      if (tookMs > HANG_MS) story(`took ${tookMs.toFixed(0)} ms`);
      if (bench.counter(COUNT_REFUSED) > refusalsBefore) {
        refused++;
        if (!isSameBook(before, read(bench, copyAfter))) story('was refused and changed the book');
      }
      const { state, bidCount, askCount, bidTicks, askTicks } = bench.book(1, 1);
      if (state === BookState.LIVE && bidCount > 0 && askCount > 0 && bidTicks[0]! > askTicks[0]!) story('left a crossed book live');
      if (i % 500 === 0) {
        for (const side of [BIDS, ASKS]) {
          const { ticks } = checkLadder(arena.i32, headerInts(1) + side);
          if (ticks.length !== arena.i32[headerInts(1) + side + LEVELS]) story('left a ladder with a wrong count');
        }
      }
      bench.messages.length = 0;
      bench.tradesHeads.length = 0;
      bench.states.length = 0;
      bench.resyncs.length = 0;
      bench.refusals.length = 0;
      bench.tradesWantedBy.length = 0;
    }
  }
  return { sent, refused, slowestMs, findings };
}

function pick(random: Prng): Kind {
  let left = random.below(totalWeight);
  return kinds.find(({ weight }) => (left -= weight) < 0)!;
}

function newBench(): ShardBench {
  const bench = new ShardBench({ booksBytes: 2 ** 24, tape: 100 }).live().streamUp();
  const spec = { depth: 20, intervalMs: 0 };
  bench.open(1, { ...spec, channel: Channel.BOOK, format: Format.JSON });
  bench.open(2, { ...spec, channel: Channel.BOOK, format: Format.PROTOBUF });
  bench.open(3, { ...spec, depth: 0, channel: Channel.BBO, format: Format.JSON });
  bench.open(4, { ...spec, depth: 0, channel: Channel.TRADE, format: Format.JSON });
  bench.open(5, { ...spec, depth: 0, intervalMs: 100, channel: Channel.TICKER, format: Format.JSON });
  return bench;
}

/** Back to live, by a snapshot newer than all that waits. */
function revive(bench: ShardBench): void {
  for (let tries = 0; tries < 3 && bench.book(1, -1).state !== BookState.LIVE; tries++) {
    bench.lineDown(StateReason.LINE_DOWN).lineUp();
    bench.snapshot({ lastUpdateId: bench.book(1, -1).version + 1_000_000, bids: [['9999.5', '1']], asks: [['10000.5', '2']] });
  }
}

function read(bench: ShardBench, copy: BookCopy): BookCopy {
  if (!bench.reader.read(1, 0, copy)) throw new Error('a write section is open');
  return copy;
}

function isSameBook(a: BookCopy, b: BookCopy): boolean {
  const isSame = (one: Float64Array, two: Float64Array, count: number): boolean => {
    for (let i = 0; i < count; i++) if (one[i] !== two[i]) return false;
    return true;
  };
  return (
    a.version === b.version &&
    a.priceScale === b.priceScale &&
    a.quantityScale === b.quantityScale &&
    a.bidCount === b.bidCount &&
    a.askCount === b.askCount &&
    isSame(a.bidTicks, b.bidTicks, a.bidCount) &&
    isSame(a.bidLots, b.bidLots, a.bidCount) &&
    isSame(a.askTicks, b.askTicks, a.askCount) &&
    isSame(a.askLots, b.askLots, a.askCount)
  );
}
