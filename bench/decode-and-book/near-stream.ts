import { Random } from '../support/random.js';
import { encodePush, type DepthItem } from './push-schema.js';
import { describe } from './recorded-stream.js';
import type { Stream, TextLevel } from './stream.js';

const SYMBOL = 'BTCUSDT';
const PRICE_SCALE = 2;
const QUANTITY_SCALE = 8;
const FIRST_MID_TICKS = 6_160_000;
const FIRST_VERSION = 44_000_000_000;
const FIRST_SEND_TIME_MS = 1_760_000_000_000;
/** Changes lie within this many ticks of the mid, closer ones more often. */
const REACH_TICKS = 200;
const SNAPSHOT_LEVELS = 1_000;
const FRAME_LEVELS_MIN = 10;
const FRAME_LEVELS_MAX = 46;
const MID_STEP_TICKS_MAX = 3;

/** Of 100 changes this many remove a level, as in recorded streams. */
const REMOVALS_PERCENT = 48;
/** Levels a side keeps within the reach: new ones come while it has fewer, else held ones change. */
const REACH_LEVELS = REACH_TICKS / 2;

/** One side of the generated market: the prices that hold a level. `direction` leads away from the mid. */
interface Side {
  readonly direction: 1 | -1;
  readonly held: Set<number>;
  /** The push being made: tick to lots, 0 = removed. */
  readonly changes: Map<number, number>;
}

/**
 * A synthetic market near the touch: the mid walks at random, levels it runs over are removed, the rest of a push changes
 * levels within 200 ticks of it. About half of all changes remove a level, most of the others bring a new one.
 * Quantities have eight decimals. The same seed gives the same bytes.
 */
export function generateNearStream(seed: number, frameCount: number): Stream {
  const random = new Random(seed);
  const bids: Side = { direction: -1, held: new Set(), changes: new Map() };
  const asks: Side = { direction: 1, held: new Set(), changes: new Map() };
  let mid = FIRST_MID_TICKS;
  let version = FIRST_VERSION;
  const snapshot = { version, bids: fillSide(bids, mid, random), asks: fillSide(asks, mid, random) };
  const frames: Uint8Array[] = [];
  let levels = 0;
  let removals = 0;
  for (let frame = 0; frame < frameCount; frame++) {
    mid += random.below(2 * MID_STEP_TICKS_MAX + 1) - MID_STEP_TICKS_MAX;
    const count = FRAME_LEVELS_MIN + random.below(FRAME_LEVELS_MAX - FRAME_LEVELS_MIN + 1);
    removals += removeOverrun(bids, mid) + removeOverrun(asks, mid);
    while (bids.changes.size + asks.changes.size < count) {
      const side = random.below(2) === 0 ? bids : asks;
      const total = levels + bids.changes.size + asks.changes.size;
      const remove = removals * 100 < REMOVALS_PERCENT * total && levelsInReach(side, mid) > 0;
      changeOne(side, mid, remove, random);
      if (remove) removals++;
    }
    const size = bids.changes.size + asks.changes.size;
    frames.push(encodeFrame(bids, asks, frame, version));
    bids.changes.clear();
    asks.changes.clear();
    version += size;
    levels += size;
  }
  const description = `synthetic, within ${REACH_TICKS} ticks of a walking mid, seed ${seed}: ${describe(frameCount, levels)}, ${Math.round((100 * removals) / levels)} % removals`;
  return { name: 'near', description, symbol: SYMBOL, priceScale: PRICE_SCALE, quantityScale: QUANTITY_SCALE, snapshot, frames, levels };
}

function fillSide(side: Side, mid: number, random: Random): TextLevel[] {
  const levels: TextLevel[] = [];
  for (let ticks = mid + side.direction; levels.length < SNAPSHOT_LEVELS; ticks += side.direction * (1 + random.below(3))) {
    side.held.add(ticks);
    levels.push([priceText(ticks), quantityText(randomLots(random))]);
  }
  return levels;
}

/** Removes what the mid has run over; a level on the wrong side of it would cross the book. Returns the number removed. */
function removeOverrun(side: Side, mid: number): number {
  for (let distance = 0; distance < MID_STEP_TICKS_MAX; distance++) {
    const ticks = mid - side.direction * distance;
    if (side.held.delete(ticks)) side.changes.set(ticks, 0);
  }
  return side.changes.size;
}

/** Levels of a side that the push being made may still change. */
function levelsInReach(side: Side, mid: number): number {
  let count = 0;
  for (let distance = 1; distance <= REACH_TICKS; distance++) {
    const ticks = mid + side.direction * distance;
    if (side.held.has(ticks) && !side.changes.has(ticks)) count++;
  }
  return count;
}

/** Removes a held level, or sets one; each price changes once a push, closer ones more often. */
function changeOne(side: Side, mid: number, remove: boolean, random: Random): void {
  const wantHeld = remove || levelsInReach(side, mid) >= REACH_LEVELS;
  for (;;) {
    // The square of an even draw: seven in ten aim at the nearer half. From there outwards to the first that fits.
    const draw = random.below(REACH_TICKS);
    for (let distance = 1 + Math.floor((draw * draw) / REACH_TICKS); distance <= REACH_TICKS; distance++) {
      const ticks = mid + side.direction * distance;
      if (side.changes.has(ticks) || side.held.has(ticks) !== wantHeld) continue;
      if (remove) side.held.delete(ticks);
      else side.held.add(ticks);
      side.changes.set(ticks, remove ? 0 : randomLots(random));
      return;
    }
  }
}

function encodeFrame(bids: Side, asks: Side, frame: number, lastVersion: number): Uint8Array {
  return encodePush({
    channel: `spot@public.aggre.depth.v3.api.pb@100ms@${SYMBOL}`,
    symbol: SYMBOL,
    sendTime: FIRST_SEND_TIME_MS + frame * 100,
    publicAggreDepths: {
      asks: toItems(asks),
      bids: toItems(bids),
      eventType: 'spot@public.aggre.depth.v3.api.pb@100ms',
      fromVersion: String(lastVersion + 1),
      toVersion: String(lastVersion + bids.changes.size + asks.changes.size),
    },
  });
}

/** Best first, as the exchange sends them. */
function toItems(side: Side): DepthItem[] {
  return [...side.changes]
    .sort(([a], [b]) => (a - b) * side.direction)
    .map(([ticks, lots]) => ({ price: priceText(ticks), quantity: quantityText(lots) }));
}

/** At least one lot, below five whole units. */
function randomLots(random: Random): number {
  return 1 + random.below(5 * 10 ** QUANTITY_SCALE - 1);
}

function priceText(ticks: number): string {
  return (ticks / 10 ** PRICE_SCALE).toFixed(PRICE_SCALE);
}

/** Eight decimals, except that a removal is `0`. */
function quantityText(lots: number): string {
  return lots === 0 ? '0' : (lots / 10 ** QUANTITY_SCALE).toFixed(QUANTITY_SCALE);
}
