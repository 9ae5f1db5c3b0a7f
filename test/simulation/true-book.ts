import type { Prng } from '../../src/simulator/prng.js';
import { bytesField, varintField } from '../support/push-frame.js';

export type Side = 'bids' | 'asks';

type Levels = Readonly<Record<Side, ReadonlyMap<number, number>>>;

/** The book at one version: everything an exchange could be asked about it later. Few are asked for, so that each is kept as it takes least. */
export class Edition {
  readonly version: number;
  readonly #ticks: Readonly<Record<Side, readonly number[]>>;
  readonly #lots: Readonly<Record<Side, readonly number[]>>;

  constructor(version: number, { bids, asks }: Levels) {
    this.version = version;
    this.#ticks = { bids: [...bids.keys()], asks: [...asks.keys()] };
    this.#lots = { bids: [...bids.values()], asks: [...asks.values()] };
  }

  /** Best first: tick and lots. */
  levels(side: Side): (readonly [tick: number, lots: number])[] {
    const lots = this.#lots[side];
    const levels = this.#ticks[side].map((tick, i) => [tick, lots[i]!] as const);
    return levels.sort(side === 'bids' ? ([a], [b]) => b - a : ([a], [b]) => a - b);
  }

  /** One line a level, best first, as `readable` writes it. */
  text(): string {
    return readable(this.levels('bids'), this.levels('asks'));
  }
}

/** Editions kept: more than any push or snapshot in a simulated world is late. */
const EDITIONS_KEPT = 4_000;
const LEVELS_MIN = 3;

export const PRICE_SCALE = 2;
export const QUANTITY_SCALE = 3;

/**
 * What one pair's order book really is, version by version: one change a version, as on the exchange. The slow and obvious kind, with
 * maps; it is what everything else in a simulated world is judged by.
 */
export class TrueBook {
  readonly symbol: string;
  version: number;
  readonly #random: Prng;
  readonly #levels: Readonly<Record<Side, Map<number, number>>> = { bids: new Map(), asks: new Map() };
  /** Since the last push: tick to lots, the last change of a level wins. */
  readonly #changed: Readonly<Record<Side, Map<number, number>>> = { bids: new Map(), asks: new Map() };
  #pushedVersion: number;
  #editions = new Map<number, Edition>();
  /** From before each relisting. */
  readonly #earlier: Map<number, Edition>[] = [];
  #mid = 10_000;

  constructor(symbol: string, version: number, levels: number, random: Prng) {
    this.symbol = symbol;
    this.version = version;
    this.#pushedVersion = version;
    this.#random = random;
    for (let i = 1; i <= levels; i++) {
      this.#levels.bids.set(this.#mid - i * (1 + random.below(3)), 1 + random.below(9_999));
      this.#levels.asks.set(this.#mid + i * (1 + random.below(3)), 1 + random.below(9_999));
    }
    this.#remember();
  }

  get wasRelisted(): boolean {
    return this.#earlier.length > 0;
  }

  get newest(): Edition {
    return this.#editions.get(this.version)!;
  }

  /** What the book was at a version, if that was not too long ago: several answers once the exchange has counted anew. */
  editions(version: number): Edition[] {
    return [this.#editions, ...this.#earlier].flatMap((editions) => editions.get(version) ?? []);
  }

  /** Makes one change: sets, adds or removes a level, or moves the mid and takes away what stands in its way. */
  change(): void {
    const random = this.#random;
    const side: Side = random.below(2) === 0 ? 'bids' : 'asks';
    const direction = side === 'bids' ? -1 : 1;
    const levels = this.#levels[side];
    if (random.below(5) === 0) this.#mid += random.below(5) - 2;
    const crossing = [...this.#levels.bids.keys()].filter((tick) => tick >= this.#mid);
    crossing.push(...[...this.#levels.asks.keys()].filter((tick) => tick <= this.#mid).map((tick) => -tick));
    if (crossing.length > 0) {
      // One change a version: the first one now, the others before anything else.
      const tick = crossing[0]!;
      this.#set(tick > 0 ? 'bids' : 'asks', Math.abs(tick), 0);
    } else if (levels.size > LEVELS_MIN && random.below(100) < 48) {
      const ticks = [...levels.keys()];
      this.#set(side, ticks[random.below(ticks.length)]!, 0);
    } else {
      const reach = random.below(10) === 0 ? 5_000 : 40;
      this.#set(side, Math.max(1, this.#mid + direction * (1 + random.below(reach))), 1 + random.below(9_999));
    }
  }

  /** Everything since the last push in one; undefined when nothing happened. */
  push(timeMs: number, channel: string): Buffer | undefined {
    if (this.version === this.#pushedVersion) return undefined;
    const from = this.#pushedVersion + 1;
    this.#pushedVersion = this.version;
    const asks = [...this.#changed.asks].sort(([a], [b]) => a - b);
    const bids = [...this.#changed.bids].sort(([a], [b]) => b - a);
    this.#changed.asks.clear();
    this.#changed.bids.clear();
    const items = (field: number, levels: readonly (readonly [number, number])[]): Buffer[] =>
      levels.map(([tick, lots]) => bytesField(field, Buffer.concat([bytesField(1, price(tick)), bytesField(2, quantity(lots))])));
    const body = Buffer.concat([
      ...items(1, asks),
      ...items(2, bids),
      bytesField(3, channel.slice(0, channel.lastIndexOf('@'))),
      bytesField(4, String(from)),
      bytesField(5, String(this.version)),
    ]);
    return Buffer.concat([bytesField(1, channel), bytesField(3, this.symbol), varintField(6, Math.floor(timeMs)), bytesField(313, body)]);
  }

  /** How often the exchange began to count its versions anew. */
  get recounts(): number {
    return this.#earlier.length;
  }

  /** The exchange begins to count anew, with another book: a relisting, a restart. */
  relist(version: number): void {
    for (const side of ['bids', 'asks'] as const) {
      for (const tick of [...this.#levels[side].keys()]) if (this.#random.below(2) === 0) this.#levels[side].delete(tick);
      this.#changed[side].clear();
    }
    this.#earlier.push(this.#editions);
    this.#editions = new Map();
    this.version = version;
    this.#pushedVersion = version;
    this.#remember();
  }

  #set(side: Side, tick: number, lots: number): void {
    if (lots === 0) this.#levels[side].delete(tick);
    else this.#levels[side].set(tick, lots);
    this.#changed[side].set(tick, lots);
    this.version++;
    this.#remember();
  }

  #remember(): void {
    this.#editions.set(this.version, new Edition(this.version, this.#levels));
    this.#editions.delete(this.version - EDITIONS_KEPT);
  }
}

/** A book as text, to be compared and read. */
export function readable(bids: Iterable<readonly [number, number]>, asks: Iterable<readonly [number, number]>): string {
  let text = '';
  for (const [tick, lots] of bids) text += `b ${tick} ${lots}\n`;
  for (const [tick, lots] of asks) text += `a ${tick} ${lots}\n`;
  return text;
}

/** As a REST answer of `limit` levels a side: padded numbers. */
export function depthAnswer(edition: Edition, limit: number, timeMs: number): Buffer {
  const side = (name: Side): string[][] =>
    edition
      .levels(name)
      .slice(0, limit)
      .map(([tick, lots]) => [padded(tick, PRICE_SCALE), padded(lots, QUANTITY_SCALE)]);
  return Buffer.from(
    JSON.stringify({ lastUpdateId: edition.version, bids: side('bids'), asks: side('asks'), timestamp: Math.floor(timeMs) }),
  );
}

function padded(units: number, scale: number): string {
  const digits = String(units).padStart(scale + 1, '0');
  return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** As in a push: trailing zeros cut. */
function price(tick: number): string {
  return String(Number(padded(tick, PRICE_SCALE)));
}

function quantity(lots: number): string {
  return lots === 0 ? '0' : String(Number(padded(lots, QUANTITY_SCALE)));
}
