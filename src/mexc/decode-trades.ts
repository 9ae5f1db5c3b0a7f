import { CodedError, ErrorCode } from '../support/errors.js';
import type { DealsBuffer } from '../tape/deals-buffer.js';
import { MARK_SELL } from '../tape/tape-layout.js';
import { readDecimalText } from './decode-snapshot.js';

const textDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the body of a `GET /api/v3/trades` answer, `[{"price":"…","qty":"…","time":ms,"isBuyerMaker":bool, …}, …]`, newest first as MEXC sends it
 * (or oldest first), into the columns of `out`, oldest first. Ids are always `null` there. Returns false when a number has more decimals than
 * the scales given: rescale to `out.…ScaleNeeded` and read again. Throws CodedError TRADES_MALFORMED.
 */
export function decodeTrades(body: Uint8Array, priceScale: number, quantityScale: number, out: DealsBuffer): boolean {
  const rows = parseBody(body);
  out.count = 0;
  out.reserve(rows.length);
  out.exchangeTimeMs = NaN;
  out.inexactCount = 0;
  out.priceScaleNeeded = priceScale;
  out.quantityScaleNeeded = quantityScale;
  const newestFirst = timeOf(rows[0]) >= timeOf(rows.at(-1));
  for (let i = 0; i < rows.length; i++) readRow(rows[newestFirst ? rows.length - 1 - i : i], priceScale, quantityScale, out);
  return out.priceScaleNeeded === priceScale && out.quantityScaleNeeded === quantityScale;
}

function parseBody(body: Uint8Array): readonly unknown[] {
  let answer: unknown;
  try {
    // TextDecoder does not take views of shared memory.
    answer = JSON.parse(textDecoder.decode(body.slice()));
  } catch (cause) {
    throw malformed('no JSON', cause);
  }
  if (!Array.isArray(answer)) throw malformed('no JSON array');
  return answer;
}

function timeOf(row: unknown): number {
  return typeof row === 'object' && row !== null && 'time' in row && typeof row.time === 'number' ? row.time : 0;
}

function readRow(row: unknown, priceScale: number, quantityScale: number, out: DealsBuffer): void {
  if (typeof row !== 'object' || row === null) throw malformed('a trade is no object');
  const { price, qty, time, isBuyerMaker } = row as Readonly<Record<string, unknown>>;
  if (typeof time !== 'number' || !Number.isSafeInteger(time) || time < 0) throw malformed(`time ${JSON.stringify(time)}`);
  if (typeof isBuyerMaker !== 'boolean') throw malformed(`isBuyerMaker ${JSON.stringify(isBuyerMaker)}`);
  const at = out.count++;
  const ticks = readDecimalText(price, priceScale);
  const lots = readDecimalText(qty, quantityScale);
  if (ticks === undefined || lots === undefined) throw malformed(`price ${JSON.stringify(price)}, quantity ${JSON.stringify(qty)}`);
  out.times[at] = time;
  out.ticks[at] = ticks.units;
  out.lots[at] = lots.units;
  out.marks[at] = isBuyerMaker ? MARK_SELL : 0;
  out.priceScaleNeeded = Math.max(out.priceScaleNeeded, ticks.decimals);
  out.quantityScaleNeeded = Math.max(out.quantityScaleNeeded, lots.decimals);
  if (ticks.units > Number.MAX_SAFE_INTEGER) out.inexactCount++;
  if (lots.units > Number.MAX_SAFE_INTEGER) out.inexactCount++;
}

function malformed(what: string, cause?: unknown): CodedError {
  return new CodedError(ErrorCode.TRADES_MALFORMED, `trades: ${what}`, {}, cause);
}
