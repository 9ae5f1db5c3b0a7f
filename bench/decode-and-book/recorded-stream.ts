import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodePush, type DepthItem } from './push-schema.js';
import type { Stream, TextBook, TextLevel } from './stream.js';

/** One line of a recorded session: a binary push, or the answer of a REST request. */
type SessionLine = { readonly k: 'ws'; readonly b64: string } | { readonly k: 'rest'; readonly path: string; readonly raw: string };

interface DepthAnswer {
  readonly lastUpdateId: number;
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

/**
 * Loads a recorded session of one symbol (gzip, one JSON object a line): its depth snapshot and every depth push that applies
 * to it. The scales are the fewest decimals that hold every number. Throws when the session has no snapshot or a gap.
 */
export function loadRecordedStream(path: string, symbol: string): Stream {
  const lines = gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as SessionLine);
  const snapshot = findSnapshot(lines, symbol);
  const frames: Uint8Array[] = [];
  let levels = 0;
  let { version } = snapshot;
  let priceScale = decimals(snapshot, 0);
  let quantityScale = decimals(snapshot, 1);
  for (const line of lines) {
    if (line.k !== 'ws') continue;
    const bytes = Buffer.from(line.b64, 'base64');
    const push = decodePush(bytes);
    const body = push.publicAggreDepths;
    if (push.symbol !== symbol || !body || Number(body.toVersion) <= version) continue;
    if (Number(body.fromVersion) > version + 1) throw new Error(`gap: ${version} before ${body.fromVersion}`);
    version = Number(body.toVersion);
    levels += body.asks.length + body.bids.length;
    const text = { bids: body.bids.map(toText), asks: body.asks.map(toText) };
    priceScale = Math.max(priceScale, decimals(text, 0));
    quantityScale = Math.max(quantityScale, decimals(text, 1));
    frames.push(bytes);
  }
  const description = `recorded ${symbol} depth (${basename(path)}): ${describe(frames.length, levels)}, snapshot of ${snapshot.bids.length} + ${snapshot.asks.length} levels`;
  return { name: 'deep', description, symbol, priceScale, quantityScale, snapshot, frames, levels };
}

function findSnapshot(lines: readonly SessionLine[], symbol: string): TextBook {
  for (const line of lines) {
    if (line.k !== 'rest' || !line.path.startsWith('/api/v3/depth?') || !line.path.includes(`symbol=${symbol}&`)) continue;
    const answer = JSON.parse(line.raw) as DepthAnswer;
    return { version: answer.lastUpdateId, bids: answer.bids, asks: answer.asks };
  }
  throw new Error(`no depth snapshot of ${symbol} in the session`);
}

function toText(item: DepthItem): TextLevel {
  return [item.price, item.quantity];
}

/** Most decimals of the prices (`column` 0) or the quantities (1) of both sides, trailing zeros included. */
function decimals(book: Pick<TextBook, 'bids' | 'asks'>, column: 0 | 1): number {
  let most = 0;
  for (const level of [...book.bids, ...book.asks]) {
    const point = level[column].indexOf('.');
    if (point >= 0) most = Math.max(most, level[column].length - point - 1);
  }
  return most;
}

/** `6,493 frames, 298,094 levels (45.9 a frame)` */
export function describe(frames: number, levels: number): string {
  return `${frames.toLocaleString('en')} frames, ${levels.toLocaleString('en')} levels (${(levels / frames).toFixed(1)} a frame)`;
}
