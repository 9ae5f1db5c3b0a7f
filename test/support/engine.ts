import { pino } from 'pino';
import { createEngine } from '../../src/engine.js';
import type { Engine, EngineOptions } from '../../src/engine.js';
import type { FeedTimingsOverride } from '../../src/feed/timings.js';
import type { EngineStatus, SymbolStatus } from '../../src/model/market-data.js';

/** Worker threads run the built files; `npm test` builds before it tests. */
export const workerUrl = new URL('../../dist/workers/shard.worker.js', import.meta.url);

/** A worker that ends itself when `{ shard, midWrite }` is posted to the BroadcastChannel `kill-shard`; with `throw`, `hang` or `hoard` in that way. */
export const killableWorkerUrl = new URL('killable.worker.mjs', import.meta.url);

/** Repeats what failed soon, so that a test need not wait for it. What is watched for silence is left as it is. */
export const quickTimings: FeedTimingsOverride = {
  firstDeltaWaitMs: 100,
  snapshotRetryMs: 50,
  snapshotRetryMaxMs: 200,
  liveStableMs: 0,
  refusedRetryMs: 50,
  refusedRetryMaxMs: 100,
  silentRetryMs: 50,
  silentRetryMaxMs: 200,
  connection: { reconnectMs: 20, reconnectMaxMs: 100 },
};

/** The whole engine in this process, threads and sockets included, on a simulated exchange. `TEST_LOG=info` shows what it logs. */
export function startEngine(
  exchange: { readonly wsUrl: string; readonly restUrl: string },
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  return createEngine({
    symbols: { kind: 'all' },
    workers: 2,
    host: '127.0.0.1',
    port: 0,
    wsUrl: exchange.wsUrl,
    restUrl: exchange.restUrl,
    interval: '100ms',
    snapshotRate: 100,
    staleAfterMs: 30_000,
    logger: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
    feedTimings: quickTimings,
    workerUrl,
    ...options,
  });
}

export function getStatus(url: string): Promise<EngineStatus> {
  return getJson(`${url}/status`);
}

export function getSymbolStatus(url: string, symbol: string): Promise<SymbolStatus> {
  return getJson(`${url}/status/${encodeURIComponent(symbol)}`);
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
