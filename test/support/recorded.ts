import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { sharedPath } from './shared.js';

/** One line of a `*.frames.jsonl.gz`: a MEXC frame or a REST answer, with its receive time in Unix ms. */
export type FrameLine =
  | { readonly t: number; readonly k: 'ws'; readonly b64: string }
  | { readonly t: number; readonly k: 'rest'; readonly path: string; readonly raw: string };

/** One line of a session file of another exchange; `t` is Unix seconds as text. */
export interface SessionLine {
  readonly t: string;
  readonly k: 'ws' | 'http' | 'sent' | 'open';
  readonly url?: string;
  readonly raw?: string;
}

/** `/api/v3/depth` */
export interface DepthAnswer {
  readonly lastUpdateId: number;
  readonly bids: readonly (readonly [price: string, quantity: string])[];
  readonly asks: readonly (readonly [price: string, quantity: string])[];
}

export type Checkpoint = readonly [applied: number, version: number, bid: string, bidQuantity: string, ask: string, askQuantity: string];

export interface ExpectedSymbol {
  readonly snapshotVersion: number;
  readonly applied: number;
  readonly discardedOld?: number;
  readonly lastVersion: number;
  readonly sequenceGaps?: number;
  readonly crossedStates: number;
  readonly bookTickerAgree?: number;
  readonly checksumOk?: number;
  readonly final: {
    readonly bidLevels: number;
    readonly askLevels: number;
    readonly best: readonly [bid: string, bidQuantity: string, ask: string, askQuantity: string];
    readonly fullBookSha256: string;
  };
  readonly checkpoints: readonly Checkpoint[];
  readonly trades?: {
    readonly count: number;
    readonly firstId: number;
    readonly lastId: number;
    readonly sumQty: string;
    readonly sumQuote: string;
  };
}

export interface Expected {
  readonly totals: Readonly<Record<string, number>>;
  readonly symbols: Readonly<Record<string, ExpectedSymbol>>;
}

/**
 * The sessions recorded elsewhere and carried in MEXC frames, with the expected results of their source.
 * `tickersAtDepthVersions`: versions after the snapshot that have both a depth push and a book ticker.
 */
export const reencodedSessions = [
  { name: 'btcusdt_20240808', expected: 'binance-hftbacktest/spot_btcusdt_20240808-09', tickersAtDepthVersions: 894 },
  {
    name: 'binance_20210404_btc_eth_dot_kline',
    expected: 'binance-cryptofeed/binance_20210404_btc_eth_dot_kline',
    tickersAtDepthVersions: 0,
  },
  { name: 'binance_20210405_10symbols', expected: 'binance-cryptofeed/binance_20210405_10symbols', tickersAtDepthVersions: 1_104 },
] as const;
export type ReencodedSession = (typeof reencodedSessions)[number];

export function framesPath(session: ReencodedSession): string {
  return sharedPath('data/mexc-reencoded', `${session.name}.frames.jsonl.gz`);
}

export function readFrames(session: ReencodedSession): Generator<FrameLine> {
  return readLines<FrameLine>(framesPath(session));
}

/** Full books of the BTCUSDT session: `applied` depth frames after its first snapshot. */
export function readRestSnapshots(): Generator<{
  readonly t: number;
  readonly applied: number;
  readonly path: string;
  readonly raw: string;
}> {
  return readLines(sharedPath('data/mexc-reencoded/btcusdt_20240808.restsnapshots.jsonl.gz'));
}

/** `session` is a folder and name without endings, e.g. `kraken-cryptofeed/kraken_20210405_10pairs`. */
export function readSession(session: string): Generator<SessionLine> {
  return readLines<SessionLine>(sharedPath('data', `${session}.jsonl.gz`));
}

export function readExpected(session: string): Expected {
  return JSON.parse(readFileSync(sharedPath('data', `${session}.expected.json`), 'utf8')) as Expected;
}

function* readLines<T>(path: string): Generator<T> {
  const bytes = gunzipSync(readFileSync(path));
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    if (end > start) yield JSON.parse(bytes.toString('utf8', start, end)) as T;
    start = end + 1;
  }
}
