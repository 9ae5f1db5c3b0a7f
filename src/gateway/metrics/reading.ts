import { readdir } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { EngineStatus } from '../../model/market-data.js';
import type { EngineMeters } from '../../model/meters.js';
import type { FanOutStatus } from '../../publish/publication-hub.js';
import type { RefusalReason } from '../access/refusals.js';
import type { GatewayContext } from '../context.js';

export interface ProcessReading {
  readonly cpuSeconds: number;
  readonly memory: NodeJS.MemoryUsage;
  /** Unix seconds. */
  readonly startTime: number;
  /** `null` where the system does not say. */
  readonly openFds: number | null;
  readonly loopActiveSeconds: number;
}

/** What is counted where. */
export type MetricsSources = Pick<GatewayContext, 'market' | 'hub' | 'refusals'>;

/** Everything one page of metrics is made from, read once for all of them. */
export interface Reading {
  readonly status: EngineStatus;
  readonly meters: EngineMeters;
  readonly clients: FanOutStatus;
  readonly refusals: Readonly<Record<RefusalReason, number>>;
  readonly process: ProcessReading;
}

export async function takeReading({ market, hub, refusals }: MetricsSources): Promise<Reading> {
  const openFds = await countOpenFds();
  const { user, system } = process.cpuUsage();
  return {
    status: market.status(),
    meters: market.meters(),
    clients: hub.status(),
    refusals: refusals.counts,
    process: {
      cpuSeconds: (user + system) / 1e6,
      memory: process.memoryUsage(),
      startTime: performance.timeOrigin / 1000,
      openFds,
      loopActiveSeconds: performance.eventLoopUtilization().active / 1000,
    },
  };
}

async function countOpenFds(): Promise<number | null> {
  try {
    return (await readdir('/proc/self/fd')).length;
  } catch {
    // Not Linux, or not allowed.
    return null;
  }
}
