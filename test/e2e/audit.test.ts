import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect } from 'vitest';
import { it } from '../support/cleanup.js';
import { quickTimings } from '../support/engine.js';
import { parsePage } from '../support/prometheus.js';
import { expectSound, Scene } from '../support/scene.js';
import { until } from '../support/until.js';

const audited = { audit: 100, feedTimings: { ...quickTimings, auditLeadMs: 100 } } as const;

interface AuditAnswer {
  readonly audits: Readonly<Record<string, number>>;
  readonly last: { readonly outcome: string; readonly matchRatio: number | null; readonly compared: number } | null;
  readonly lastMismatch: {
    readonly wrong: number;
    readonly ghosts: number;
    readonly missing: number;
    readonly compared: number;
    readonly differences: readonly { readonly ours: string; readonly theirs: string | null }[];
  } | null;
}

async function getAudit(scene: Scene, symbol: string): Promise<AuditAnswer> {
  return (await (await fetch(`${scene.url}/audit/${symbol}`)).json()) as AuditAnswer;
}

/** A quiet market, so that a wrong level stays wrong for a while. */
const market = { symbols: 3, rate: 2, seed: 5 };

describe.concurrent('audits', () => {
  it('find every book right, round and round, and disturb nobody', async ({ opened }) => {
    const scene = await Scene.start(opened, { market: { symbols: 4, rate: 20 }, engine: { ...audited, interval: '10ms' } });
    await scene.allLive();
    scene.watcher.forgetStates();
    await until(
      async () => {
        const each = await Promise.all(scene.symbols.map((symbol) => getAudit(scene, symbol)));
        return each.every(({ audits }) => audits['match']! >= 2);
      },
      { timeoutMs: 20_000, what: 'two rounds' },
    );
    await expectSound(scene);
    for (const symbol of scene.symbols) {
      const { audits, lastMismatch } = await getAudit(scene, symbol);
      expect([audits['mismatch'], lastMismatch]).toEqual([0, null]);
      expect(scene.history(symbol)).toEqual(['live synced 1']);
    }
    const book = (await (await fetch(`${scene.url}/orderbook/${scene.symbols[0]}?depth=full`)).json()) as Record<string, never[]>;
    expect(book['verifiedDepth']).toEqual({ bids: book['bids']!.length, asks: book['asks']!.length });
  });

  it('a level that is wrong without any other sign is found, and the book repaired where it stands', async ({ opened }) => {
    const log: Record<string, unknown>[] = [];
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        log.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
        done();
      },
    });
    const scene = await Scene.start(opened, { market, engine: { ...audited, logger: pino({ level: 'warn' }, stream) } });
    await scene.allLive();
    scene.watcher.forgetStates();
    const symbol = scene.symbols[1]!;
    await corruptUntilFound(scene, symbol);

    expect(scene.history(symbol).slice(0, 3)).toEqual(['live synced 1', 'suspect audit_mismatch 1', 'live synced 2']);
    expect(scene.watcher.disturbed()).toEqual([symbol]);
    await expectSound(scene);
    const { audits, lastMismatch } = await getAudit(scene, symbol);
    expect(audits['mismatch']).toBeGreaterThanOrEqual(1);
    // A level that should have gone is a ghost.
    expect(lastMismatch!.missing).toBe(0);
    expect(lastMismatch!.wrong + lastMismatch!.ghosts).toBeGreaterThan(0);
    const { ours, theirs } = lastMismatch!.differences[0]!;
    expect(Number(ours)).toBeGreaterThan(Number(theirs));
    await until(() => scene.follower(symbol).epoch >= 2, { what: 'the follower in the new epoch' });
    expect(scene.follower(symbol).snapshots.at(-1)).toBe('resync');
    expect(log.find(({ msg }) => String(msg).startsWith('audit:'))).toMatchObject({ level: 40, symbol, outcome: 'mismatch' });
    // And it is proven again.
    const matches = (await getAudit(scene, symbol)).audits['match']!;
    await until(async () => (await getAudit(scene, symbol)).audits['match']! > matches, { timeoutMs: 20_000, what: 'the next audit' });
    const page = parsePage(await (await fetch(`${scene.url}/metrics`)).text());
    const mismatches = page.get('mdp_audits_total')!.samples.find(({ labels }) => labels['outcome'] === 'mismatch');
    expect(mismatches?.value).toBeGreaterThanOrEqual(1);
  });
});

/** Spoils pushes of the symbol, one now and then, until an audit has seen one: the market itself may heal a level before. */
async function corruptUntilFound(scene: Scene, symbol: string): Promise<void> {
  let spoiledAt = -Infinity;
  const isFound = (): boolean => {
    if (scene.history(symbol).length > 2) return true;
    const { deltas } = scene.follower(symbol);
    if (deltas >= spoiledAt + 4 && scene.history(symbol).length === 1) {
      spoiledAt = deltas;
      scene.sim.injectFault({ action: 'corruptLevel', symbol });
    }
    return false;
  };
  await until(isFound, { timeoutMs: 30_000, what: 'the mismatch' });
}
