/*
 * A book that carries one number, its stamp, in every word a reader copies: in the lots of all levels, in the exchange's version and in
 * the receive time. Where the levels lie follows from the stamp too, so that pages come and go from one stamp to the next.
 */
export const LEVELS = 48;
const BID = 2_000_000;
const ASK = 2_000_001;

/** Tick of level `i` (0 = best) of a side at a stamp. */
export function bidTick(stamp, i) {
  return BID - (stamp % 5) * 700 - i * (1 + (stamp % 3) * 8);
}

export function askTick(stamp, i) {
  return ASK + (stamp % 7) * 900 + i * (1 + (stamp % 2) * 11);
}

/** Puts into `delta` what turns the book of one stamp into that of another; `from` < 0 = an empty book. */
export function fillStamp(delta, from, to) {
  let count = 0;
  const removals = from < 0 ? 0 : LEVELS;
  for (let i = 0; i < removals; i++, count++) {
    delta.bids.ticks[count] = bidTick(from, i);
    delta.bids.lots[count] = 0;
    delta.asks.ticks[count] = askTick(from, i);
    delta.asks.lots[count] = 0;
  }
  for (let i = 0; i < LEVELS; i++, count++) {
    delta.bids.ticks[count] = bidTick(to, i);
    delta.bids.lots[count] = to;
    delta.asks.ticks[count] = askTick(to, i);
    delta.asks.lots[count] = to;
  }
  delta.bids.count = count;
  delta.asks.count = count;
  delta.fromVersion = to;
  delta.toVersion = to;
}

/** Whether a copy of the whole book is of one stamp throughout. */
export function isOfOneStamp(copy) {
  const stamp = copy.version;
  if (copy.receiveTimeMs !== stamp || copy.bidCount !== LEVELS || copy.askCount !== LEVELS || copy.bidLevels !== LEVELS) return false;
  for (let i = 0; i < LEVELS; i++) {
    if (copy.bidLots[i] !== stamp || copy.askLots[i] !== stamp) return false;
    if (copy.bidTicks[i] !== bidTick(stamp, i) || copy.askTicks[i] !== askTick(stamp, i)) return false;
  }
  return true;
}
