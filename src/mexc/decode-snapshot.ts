import type { DeltaBuffer } from '../book/delta-buffer.js';
import { LEVELS_MAX, TICK_LIMIT } from '../book/ladder-layout.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { lastParsed, parseNumber } from './decode-depth.js';

const textDecoder = new TextDecoder('utf-8', { fatal: true });
const textEncoder = new TextEncoder();
const numberBytes = new Uint8Array(64);

/**
 * Reads the body of a `GET /api/v3/depth` answer, `{"lastUpdateId":N,"bids":[["price","quantity"],…],"asks":[…]}`, into the columns of
 * `out`, with `fromVersion` and `toVersion` = lastUpdateId and the `timestamp` (undocumented, may be absent) as exchange time. Returns
 * false when a number has more decimals than the scales given: rescale to `out.…ScaleNeeded` and read again.
 * Throws CodedError SNAPSHOT_MALFORMED.
 */
export function decodeSnapshot(body: Uint8Array, priceScale: number, quantityScale: number, out: DeltaBuffer): boolean {
  const answer = parseBody(body);
  const { lastUpdateId, timestamp, bids, asks } = answer;
  if (typeof lastUpdateId !== 'number' || !Number.isSafeInteger(lastUpdateId) || lastUpdateId < 0) {
    throw malformed(`lastUpdateId is ${JSON.stringify(lastUpdateId)}`);
  }
  if (!Array.isArray(bids) || !Array.isArray(asks)) throw malformed('bids or asks are missing');
  if (Math.max(bids.length, asks.length) > LEVELS_MAX) throw malformed(`more than ${LEVELS_MAX} levels of one side`);
  out.priceScaleNeeded = priceScale;
  out.quantityScaleNeeded = quantityScale;
  out.inexactCount = 0;
  readSide(bids, priceScale, quantityScale, out.bids.ticks, out.bids.lots, out);
  readSide(asks, priceScale, quantityScale, out.asks.ticks, out.asks.lots, out);
  out.bids.count = bids.length;
  out.asks.count = asks.length;
  out.fromVersion = lastUpdateId;
  out.toVersion = lastUpdateId;
  out.exchangeTimeMs = typeof timestamp === 'number' && Number.isSafeInteger(timestamp) ? timestamp : NaN;
  return out.priceScaleNeeded === priceScale && out.quantityScaleNeeded === quantityScale;
}

function parseBody(body: Uint8Array): Record<string, unknown> {
  let answer: unknown;
  try {
    // TextDecoder does not take views of shared memory.
    answer = JSON.parse(textDecoder.decode(body.slice()));
  } catch (cause) {
    throw malformed('no JSON', cause);
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw malformed('no JSON object');
  return answer as Record<string, unknown>;
}

function readSide(
  levels: readonly unknown[],
  priceScale: number,
  quantityScale: number,
  ticks: Float64Array,
  lots: Float64Array,
  out: DeltaBuffer,
): void {
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i];
    if (!Array.isArray(level)) throw malformed(`level ${i} is no pair`);
    const price = readNumber(level[0], priceScale);
    if (price.units >= TICK_LIMIT) throw malformed(`price ${level[0]} is out of range`);
    ticks[i] = price.units;
    if (price.decimals > out.priceScaleNeeded) out.priceScaleNeeded = price.decimals;
    if (price.units > Number.MAX_SAFE_INTEGER) out.inexactCount++;
    const quantity = readNumber(level[1], quantityScale);
    lots[i] = quantity.units;
    if (quantity.decimals > out.quantityScaleNeeded) out.quantityScaleNeeded = quantity.decimals;
    if (quantity.units > Number.MAX_SAFE_INTEGER) out.inexactCount++;
  }
}

function readNumber(text: unknown, scale: number): { readonly units: number; readonly decimals: number } {
  const number = readDecimalText(text, scale);
  if (number === undefined) throw malformed(`${JSON.stringify(text)} is no decimal text`);
  return number;
}

/** Decimal text of a JSON answer as units at a scale, and the decimals it needs; `undefined` when it is none. */
export function readDecimalText(text: unknown, scale: number): { readonly units: number; readonly decimals: number } | undefined {
  if (typeof text !== 'string' || text.length >= numberBytes.length) return undefined;
  const { written, read } = textEncoder.encodeInto(text, numberBytes);
  return read === text.length && parseNumber(numberBytes, 0, written, scale) ? lastParsed() : undefined;
}

function malformed(what: string, cause?: unknown): CodedError {
  return new CodedError(ErrorCode.SNAPSHOT_MALFORMED, `depth snapshot: ${what}`, {}, cause);
}
