import { encodePush } from '../decode-and-book/push-schema.js';
import { Random } from './random.js';

/** What a generated market is like. */
export interface MarketShape {
  readonly symbols: number;
  /** Symbols after those that are listed and never move; default none. */
  readonly quietSymbols?: number;
  /** Frames of each symbol; they may be replayed for ever, the book after the last one takes the first one again. */
  readonly framesPerSymbol: number;
  /** Changed levels in a frame, both sides together. */
  readonly levelsPerFrame: number;
  /** Levels a side the book holds about. */
  readonly bookLevels: number;
}

/** Price and quantity as decimal text with all decimals. */
export type TextLevel = readonly [price: string, quantity: string];

export interface TextSides {
  /** Best first. */
  readonly bids: readonly TextLevel[];
  /** Best first. */
  readonly asks: readonly TextLevel[];
}

export const PRICE_SCALE = 2;
export const QUANTITY_SCALE = 5;
/** Versions are text of this many digits, so that they can be replaced in place. */
export const VERSION_DIGITS = 11;
export const FIRST_VERSION = 10_000_000_000;

const MID_TICKS = 1_000_000;
const LOTS_MAX = 500_000_000;
/** Of 100 changes of a held level this many remove it: so that nearly half of all changes are removals, as on the exchange. */
const REMOVALS_PERCENT = 90;
const SEND_TIME_MS = 1_760_000_000_000;

export function symbolName(index: number): string {
  return `S${String(index).padStart(4, '0')}USDT`;
}

/**
 * One symbol's pushes: seeded, levels on both sides of a mid that stands still, more of them near the touch. Every push changes the best
 * bid, which is never removed, so that every push is a new quote.
 */
export class SymbolStream {
  readonly name: string;
  /** Pushes whose versions are placeholders (`placeVersion`). */
  readonly frames: readonly Uint8Array[];
  /** The book after the last frame, and therefore also the one the first may be applied to. */
  readonly book: TextSides;

  constructor(index: number, { framesPerSymbol, levelsPerFrame, bookLevels }: MarketShape) {
    this.name = symbolName(index);
    const random = new Random(index + 1);
    const bids = startSide(bookLevels, random);
    const asks = startSide(bookLevels, random);
    const frames: Uint8Array[] = [];
    const half = levelsPerFrame >> 1;
    for (let i = 0; i < framesPerSymbol; i++) {
      const changedBids = change(bids, levelsPerFrame - half, true, bookLevels, random);
      const changedAsks = change(asks, half, false, bookLevels, random);
      frames.push(this.#encode(changedBids, changedAsks));
    }
    this.frames = frames;
    this.book = { bids: textOf(bids, -1), asks: textOf(asks, 1) };
  }

  #encode(bids: ReadonlyMap<number, number>, asks: ReadonlyMap<number, number>): Uint8Array {
    const channel = `spot@public.aggre.depth.v3.api.pb@10ms@${this.name}`;
    const version = String(FIRST_VERSION);
    return encodePush({
      channel,
      symbol: this.name,
      sendTime: SEND_TIME_MS,
      publicAggreDepths: {
        asks: textOf(asks, 1).map(toItem),
        bids: textOf(bids, -1).map(toItem),
        eventType: 'spot@public.aggre.depth.v3.api.pb@10ms',
        fromVersion: version,
        toVersion: version,
      },
    });
  }
}

/**
 * Writes a version into a push that ends at `end`: its last fields are `fromVersion` and `toVersion`, both of VERSION_DIGITS digits, each
 * behind two bytes of tag and length.
 */
export function placeVersion(bytes: Uint8Array, end: number, version: number): void {
  let rest = version;
  let cursor = end - 1;
  for (let digit = 0; digit < VERSION_DIGITS; digit++) {
    const next = Math.floor(rest / 10);
    const character = 0x30 + (rest - next * 10);
    bytes[cursor] = character;
    bytes[cursor - VERSION_DIGITS - 2] = character;
    cursor--;
    rest = next;
  }
}

/** By distance from the mid in ticks, from 1: the lots there. */
type Side = Map<number, number>;

function startSide(bookLevels: number, random: Random): Side {
  const side: Side = new Map([[1, 1 + random.below(LOTS_MAX)]]);
  for (let distance = 3; distance <= 2 * bookLevels; distance += 2) side.set(distance, 1 + random.below(LOTS_MAX));
  return side;
}

/** Changes `count` levels of a side; with `touch`, the best one among them. Returns the changes, 0 = removed. */
function change(side: Side, count: number, touch: boolean, bookLevels: number, random: Random): Side {
  const reach = 2 * bookLevels;
  const changes: Side = new Map();
  while (changes.size < count) {
    // The square of an even draw: seven in ten aim at the nearer half.
    const draw = random.below(reach);
    const distance = touch && changes.size === 0 ? 1 : 2 + Math.floor((draw * draw) / reach);
    if (changes.has(distance)) continue;
    const removed = distance > 1 && side.has(distance) && random.below(100) < REMOVALS_PERCENT;
    const lots = removed ? 0 : 1 + random.below(LOTS_MAX);
    changes.set(distance, lots);
    if (removed) side.delete(distance);
    else side.set(distance, lots);
  }
  return changes;
}

function textOf(side: ReadonlyMap<number, number>, direction: 1 | -1): TextLevel[] {
  return [...side]
    .sort(([a], [b]) => a - b)
    .map(([distance, lots]) => [decimal(MID_TICKS + direction * distance, PRICE_SCALE), decimal(lots, QUANTITY_SCALE)]);
}

function toItem([price, quantity]: TextLevel): { readonly price: string; readonly quantity: string } {
  return { price, quantity };
}

function decimal(units: number, scale: number): string {
  return units === 0 ? '0' : (units / 10 ** scale).toFixed(scale);
}
