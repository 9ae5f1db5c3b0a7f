import type { DeltaBuffer, LevelColumns } from '../../book/delta-buffer.js';
import { LEVELS_MAX, TICK_LIMIT } from '../../book/ladder-layout.js';
import { CodedError, ErrorCode } from '../../support/errors.js';
import type { DealsBuffer } from '../../tape/deals-buffer.js';
import { MARK_SELL } from '../../tape/tape-layout.js';
import { DepthDecode } from '../decode-depth.js';
import { readDecimalText } from '../decode-snapshot.js';
import { decodeLegacyFrame } from './decode.js';
import type { LegacyBook, LegacyEvent, LegacyLevel, LegacyTrades } from './events.js';
import { invalid } from './fields.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads `bytes[start, end)`, which may be shared memory. Throws as `decodeLegacyFrame` does. */
export function decodeLegacyBytes(bytes: Uint8Array, start: number, end: number): LegacyEvent {
  let source: string;
  try {
    // TextDecoder does not take views of shared memory.
    source = utf8.decode(bytes.slice(start, end));
  } catch (cause) {
    throw new CodedError(ErrorCode.LEGACY_BAD_JSON, 'text frame: no UTF-8', {}, cause);
  }
  return decodeLegacyFrame(source);
}

/** A text frame in the place of a binary push of depth, with the answers of `decodeDepth`. */
export function decodeLegacyDepth(
  bytes: Uint8Array,
  start: number,
  end: number,
  priceScale: number,
  quantityScale: number,
  out: DeltaBuffer,
): DepthDecode {
  try {
    const event = decodeLegacyBytes(bytes, start, end);
    if (event.kind !== 'book') return DepthDecode.NOT_DEPTH;
    return fillDelta(event, priceScale, quantityScale, out) ? DepthDecode.OK : DepthDecode.RESCALE;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return DepthDecode.MALFORMED;
  }
}

/**
 * Puts a book's levels into the columns of `out`. False when a number has more decimals than the scales given: rescale to `out.…ScaleNeeded`
 * and call again. Throws CodedError LEGACY_INVALID_FORMAT for a number no book takes.
 */
export function fillDelta(event: LegacyBook, priceScale: number, quantityScale: number, out: DeltaBuffer): boolean {
  const { bids, asks } = event;
  const levels = Math.max(bids.length, asks.length);
  if (levels > LEVELS_MAX) throw invalid('number of levels', levels);
  out.priceScaleNeeded = priceScale;
  out.quantityScaleNeeded = quantityScale;
  out.inexactCount = 0;
  fillSide(bids, priceScale, quantityScale, out.bids, out);
  fillSide(asks, priceScale, quantityScale, out.asks, out);
  // Without ranges, whatever is newer continues what is held.
  out.fromVersion = event.effect === 'newer' ? 0 : event.version;
  out.toVersion = event.version;
  out.exchangeTimeMs = event.timeMs ?? NaN;
  return out.priceScaleNeeded === priceScale && out.quantityScaleNeeded === quantityScale;
}

function fillSide(levels: readonly LegacyLevel[], priceScale: number, quantityScale: number, side: LevelColumns, out: DeltaBuffer): void {
  const { ticks, lots } = side;
  side.count = levels.length;
  for (let i = 0; i < levels.length; i++) {
    const [price, quantity] = levels[i]!;
    const tick = units('price', price, priceScale);
    if (tick.units >= TICK_LIMIT) throw invalid('price', price);
    ticks[i] = tick.units;
    out.priceScaleNeeded = Math.max(out.priceScaleNeeded, tick.decimals);
    const lot = units('quantity', quantity, quantityScale);
    lots[i] = lot.units;
    out.quantityScaleNeeded = Math.max(out.quantityScaleNeeded, lot.decimals);
    if (lot.units > Number.MAX_SAFE_INTEGER) out.inexactCount++;
  }
}

/** Puts trades into the columns of `out`, oldest first; as `fillDelta`. Text frames name no ids. */
export function fillDeals(event: LegacyTrades, priceScale: number, quantityScale: number, out: DealsBuffer): boolean {
  const trades = event.trades.toSorted((a, b) => a.timeMs - b.timeMs);
  out.count = 0;
  out.reserve(trades.length);
  out.exchangeTimeMs = event.timeMs ?? NaN;
  out.inexactCount = 0;
  out.priceScaleNeeded = priceScale;
  out.quantityScaleNeeded = quantityScale;
  for (const { price, quantity, timeMs, isBuyerMaker } of trades) {
    const at = out.count++;
    const tick = units('price', price, priceScale);
    const lot = units('quantity', quantity, quantityScale);
    out.times[at] = timeMs;
    out.ticks[at] = tick.units;
    out.lots[at] = lot.units;
    out.marks[at] = isBuyerMaker ? MARK_SELL : 0;
    out.priceScaleNeeded = Math.max(out.priceScaleNeeded, tick.decimals);
    out.quantityScaleNeeded = Math.max(out.quantityScaleNeeded, lot.decimals);
    if (tick.units > Number.MAX_SAFE_INTEGER || lot.units > Number.MAX_SAFE_INTEGER) out.inexactCount++;
  }
  return out.priceScaleNeeded === priceScale && out.quantityScaleNeeded === quantityScale;
}

function units(what: string, text: string, scale: number): { readonly units: number; readonly decimals: number } {
  const number = readDecimalText(text, scale);
  if (number === undefined) throw invalid(what, text);
  return number;
}
