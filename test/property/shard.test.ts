import fc from 'fast-check';
import { expect, test } from 'vitest';

import { BookState, bookStateNames, StateReason } from '../../src/model/book-state.js';
import { Channel, Format, MessageKind, type PublicationSpec } from '../../src/model/publication.js';
import { depthFrame } from '../support/depth-frame.js';
import { ModelBook, shortest, type Side, type TextLevel } from '../support/model-book.js';
import { type BookMessage, PushFollower } from '../support/push-follower.js';
import { type BenchMessage, ShardBench } from '../support/shard-bench.js';

const SPECS: readonly PublicationSpec[] = [
  { channel: Channel.BOOK, depth: 5, intervalMs: 0, format: Format.JSON },
  { channel: Channel.BOOK, depth: 20, intervalMs: 100, format: Format.JSON },
  { channel: Channel.BOOK, depth: 0, intervalMs: 0, format: Format.JSON },
  { channel: Channel.BOOK, depth: 0, intervalMs: 100, format: Format.JSON },
  { channel: Channel.BOOK_TOP, depth: 5, intervalMs: 0, format: Format.JSON },
  { channel: Channel.BOOK_TOP, depth: 5, intervalMs: 100, format: Format.JSON },
  { channel: Channel.BBO, depth: 0, intervalMs: 0, format: Format.JSON },
  { channel: Channel.BBO, depth: 0, intervalMs: 100, format: Format.JSON },
  { channel: Channel.STATUS, depth: 0, intervalMs: 0, format: Format.JSON },
];

type Change = readonly [side: Side, offset: number, quantity: number];
type Command =
  | {
      readonly kind: 'push';
      readonly changes: readonly Change[];
      readonly span: number;
      readonly fate: 'sent' | 'lost' | 'twice' | 'cut' | 'crossed' | 'fine';
    }
  | { readonly kind: 'snapshot'; readonly age: number }
  | { readonly kind: 'tick'; readonly ms: number }
  | { readonly kind: 'line'; readonly up: boolean }
  | { readonly kind: 'join' | 'leave' | 'ask'; readonly spec: number }
  | { readonly kind: 'drain'; readonly on: boolean };

const changes = fc.array(fc.tuple(fc.constantFrom<Side>('bid', 'ask'), fc.nat({ max: 40 }), fc.nat({ max: 3 })), { maxLength: 8 });
const specs = fc.nat({ max: SPECS.length - 1 });
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    {
      weight: 24,
      arbitrary: fc.record({
        kind: fc.constant('push' as const),
        changes,
        span: fc.integer({ min: 1, max: 3 }),
        fate: fc.oneof(
          { weight: 30, arbitrary: fc.constant('sent' as const) },
          { weight: 2, arbitrary: fc.constantFrom('twice' as const, 'fine' as const) },
          { weight: 2, arbitrary: fc.constantFrom('lost' as const, 'cut' as const, 'crossed' as const) },
        ),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), age: fc.oneof(fc.constant(0), fc.nat({ max: 6 })) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.constantFrom(10, 60, 110, 3100) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('line' as const), up: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('join' as const, 'ask' as const), spec: specs }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), spec: specs }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('drain' as const), on: fc.boolean() }) },
  ),
  { minLength: 40, maxLength: 150, size: 'large' },
);

interface Sides {
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

/** The exchange: the true book at every version there was. */
class Exchange {
  version = 1000;
  readonly #book = new ModelBook();
  /** By version; a push covers several, and the book between them is the one before it. */
  readonly #history = new Map<number, Sides>();
  readonly #versions = [1000];

  constructor() {
    this.#remember();
  }

  /** Changes the book and gives the push that says so. Bids stay below 100, asks above. */
  push(
    list: readonly Change[],
    span: number,
    decimals: string,
  ): { readonly bids: TextLevel[]; readonly asks: TextLevel[]; readonly from: number; readonly to: number } {
    const from = this.version + 1;
    this.version += span;
    const push = { bids: [] as TextLevel[], asks: [] as TextLevel[], from, to: this.version };
    for (const [side, offset, quantity] of list) {
      const price = `${side === 'bid' ? 99 - Math.floor(offset / 10) : 101 + Math.floor(offset / 10)}.${offset % 10}${decimals}`;
      const level: TextLevel = [price, String(quantity / 2)];
      push[side === 'bid' ? 'bids' : 'asks'].push(level);
      this.#book.applyDelta(side, ...level);
    }
    this.#remember();
    return push;
  }

  at(version: number): Sides {
    return this.#history.get(version)!;
  }

  /** What REST answers, `age` pushes behind the stream. */
  snapshot(age: number): Sides & { readonly lastUpdateId: number } {
    const lastUpdateId = this.#versions.at(-1 - age) ?? this.#versions[0]!;
    return { lastUpdateId, ...this.at(lastUpdateId) };
  }

  #remember(): void {
    this.#history.set(this.version, { bids: this.#book.levels('bid'), asks: this.#book.levels('ask') });
    if (this.version > this.#versions.at(-1)!) this.#versions.push(this.version);
  }
}

/** One subscriber, as the fan-out serves it: it waits for a whole book or the state, then takes what everybody gets. */
class Subscriber {
  readonly spec: PublicationSpec;
  readonly follower: PushFollower;
  /** Of a stateless channel, and of `status`: the newest message. */
  newest: BenchMessage['body'] | undefined;
  #token: number;

  constructor(spec: PublicationSpec, token: number) {
    this.spec = spec;
    this.#token = token;
    this.follower = new PushFollower('BTCUSDT', spec.depth === 0 ? 'full' : spec.depth);
  }

  /** Asks for a whole book again, having lost its own. */
  ask(token: number): void {
    this.#token = token;
  }

  take({ kind, token, body }: BenchMessage): void {
    const isForOne = kind === MessageKind.SNAPSHOT_FOR || kind === MessageKind.STATE_FOR;
    if (isForOne && token !== this.#token) return;
    if (kind === MessageKind.DELTA && this.#token !== 0) return;
    if (kind !== MessageKind.STATE) this.#token = 0;
    this.newest = body;
    if (this.spec.channel === Channel.BOOK) this.follower.take(body as unknown as BookMessage);
  }
}

class World {
  readonly exchange = new Exchange();
  readonly bench = new ShardBench({ inboundBytes: 2 ** 16, outboundBytes: 2 ** 13, staleAfterMs: 2000 });
  readonly subscribers = SPECS.map((): Subscriber[] => []);
  #lineUp = true;
  #tokens = 0;

  constructor() {
    this.bench.onMessage = (message) => {
      for (const subscriber of this.subscribers[message.id - 1]!) subscriber.take(message);
    };
    this.bench.track().lineUp();
  }

  run(command: Command): void {
    const { bench, exchange } = this;
    switch (command.kind) {
      case 'push':
        return this.#push(command);
      case 'snapshot':
        bench.snapshot(exchange.snapshot(command.age));
        return;
      case 'tick':
        bench.tick(command.ms);
        return;
      case 'line':
        if (command.up === this.#lineUp) return;
        this.#lineUp = command.up;
        if (command.up) bench.lineUp();
        else bench.lineDown(StateReason.LINE_DOWN);
        return;
      case 'join':
        return this.#join(command.spec);
      case 'leave':
        this.subscribers[command.spec]!.length = 0;
        bench.close(command.spec + 1);
        return;
      case 'ask': {
        const subscriber = this.subscribers[command.spec]![0];
        if (subscriber === undefined || subscriber.newest === undefined) return;
        subscriber.ask(++this.#tokens);
        bench.requestSnapshot(command.spec + 1, this.#tokens, 'slow');
        return;
      }
      case 'drain':
        bench.draining = command.on;
        bench.work();
    }
  }

  #push({ changes: list, span, fate }: Command & { kind: 'push' }): void {
    const { bench } = this;
    bench.now += 1;
    const push = this.exchange.push(list, span, fate === 'fine' ? '05' : '');
    if (fate === 'lost') return;
    const frame = depthFrame(fate === 'crossed' ? { ...push, bids: [['5000', '1']], asks: [['101', '1']] } : push);
    bench.frame(fate === 'cut' ? frame.subarray(0, frame.length - 3) : frame);
    if (fate === 'twice') bench.frame(frame);
  }

  #join(index: number): void {
    const subscribers = this.subscribers[index]!;
    const spec = SPECS[index]!;
    if (subscribers.length === 0) {
      subscribers.push(new Subscriber(spec, -1));
      this.bench.open(index + 1, spec);
    } else if (subscribers.length < 3) {
      subscribers.push(new Subscriber(spec, ++this.#tokens));
      this.bench.requestSnapshot(index + 1, this.#tokens);
    }
  }

  /** Quiet returns: the line is up, snapshots are fresh, and the ring is emptied. */
  heal(): void {
    const { bench } = this;
    bench.draining = true;
    bench.work();
    this.run({ kind: 'line', up: true });
    for (let i = 0; i < 3; i++) {
      this.run({ kind: 'snapshot', age: 0 });
      this.run({ kind: 'push', changes: [['bid', i, 3]], span: 1, fate: 'sent' });
      this.run({ kind: 'tick', ms: 200 });
    }
  }
}

/** Whoever says that it is live must be right. */
function check({ bench, exchange, subscribers }: World): void {
  if (bench.state() === 'live synced') compare(bench.sides(), exchange.at(bench.book(1, -1).version), 0);
  for (const { follower, spec } of subscribers.flat()) {
    if (follower.faults.length > 0) expect(follower.faults).toEqual([]);
    if (!follower.live || follower.seq === 0) continue;
    // Also one that is behind holds the exchange's book of its version.
    compare(sidesOf(follower.bids(), follower.asks()), exchange.at(follower.version), spec.depth);
  }
}

/** With room in the ring, a tick after it happened everybody knows that a book is not live. */
function checkBadNews({ bench, subscribers }: World): void {
  const { state } = bench.book(1, -1);
  if (!bench.draining || state === BookState.LIVE) return;
  for (const { follower, spec, newest } of subscribers.flat()) {
    if (newest === undefined) continue;
    if (spec.channel === Channel.BOOK) expect(follower.live).toBe(false);
    expect(newest).toMatchObject({ type: 'state', state: bookStateNames[state] });
  }
}

/** A plain comparison first: an assertion per look would take longer than all the rest. */
function compare(held: Sides, truth: Sides, depth: number): void {
  const expected = top(truth, depth);
  if (JSON.stringify(held) !== JSON.stringify(expected)) expect(held).toEqual(expected);
}

function checkHealed(world: World): void {
  const { bench, exchange, subscribers } = world;
  expect([bench.state(), bench.book(1, -1).version]).toEqual(['live synced', exchange.version]);
  check(world);
  const { epoch, seq } = bench.book(1, -1);
  for (const { follower, spec, newest } of subscribers.flat()) {
    expect(newest).toBeDefined();
    if (spec.channel === Channel.BOOK) {
      expect([follower.live, follower.epoch, follower.seq]).toEqual([true, epoch, seq]);
      expect(sidesOf(follower.bids(), follower.asks())).toEqual(bench.sides(spec.depth));
    } else if (spec.channel === Channel.STATUS) {
      expect(newest).toMatchObject({ state: 'live', epoch });
    } else {
      const { b, a } = newest as { b: unknown; a: unknown };
      const isQuote = spec.channel === Channel.BBO;
      const list = (side: unknown): TextLevel[] => (isQuote ? (side === null ? [] : [side as TextLevel]) : (side as TextLevel[]));
      expect(sidesOf(list(b), list(a))).toEqual(bench.sides(isQuote ? 1 : spec.depth));
      expect(newest).toMatchObject({ epoch, state: 'live' });
    }
  }
}

function sidesOf(bids: readonly TextLevel[], asks: readonly TextLevel[]): Sides {
  const short = (levels: readonly TextLevel[]): TextLevel[] => levels.map(([price, quantity]) => [shortest(price), shortest(quantity)]);
  return { bids: short(bids), asks: short(asks) };
}

function top({ bids, asks }: Sides, depth: number): Sides {
  return depth === 0 ? { bids, asks } : { bids: bids.slice(0, depth), asks: asks.slice(0, depth) };
}

test('whatever happens on the way, who is told that a book is live holds the exchange’s book', () => {
  const seen = { epochs: 0, slow: 0, deltas: 0 };
  fc.assert(
    fc.property(commands, fc.subarray([...SPECS.keys()], { minLength: 5 }), (list, joined) => {
      const world = new World();
      for (const spec of joined) world.run({ kind: 'join', spec });
      world.run({ kind: 'snapshot', age: 0 });
      for (const command of list) {
        world.run(command);
        check(world);
        if (command.kind === 'tick') checkBadNews(world);
      }
      world.heal();
      checkHealed(world);
      seen.epochs += world.bench.book(1, -1).epoch;
      for (const { follower } of world.subscribers.flat()) {
        seen.slow += follower.snapshots.filter((reason) => reason === 'slow').length;
        seen.deltas += follower.deltas;
      }
      world.bench.untrack();
      expect(world.bench.reader.usedBytes()).toBe(0);
    }),
    { numRuns: 100 },
  );
  // The runs are worth nothing when nothing happened in them.
  expect(seen.epochs).toBeGreaterThan(100);
  expect(seen.slow).toBeGreaterThan(20);
  expect(seen.deltas).toBeGreaterThan(1_000);
});
