import { BroadcastChannel } from 'node:worker_threads';
import { expect, vi } from 'vitest';
import { ShardEgress } from '../../src/shard/egress.js';
import { it, type Open } from '../support/cleanup.js';
import { killableWorkerUrl } from '../support/engine.js';
import { PushClient } from '../support/push-client.js';
import { expectSound, Scene } from '../support/scene.js';
import { until } from '../support/until.js';

interface Quote {
  readonly ch: 'bbo';
  readonly sym: string;
  readonly epoch: number;
  readonly seq: number;
  readonly b: readonly [string, string] | null;
  readonly a: readonly [string, string] | null;
}

/** Pushes come more often than every 50 ms, so that the worker of the engine never sleeps. */
const start = (opened: Open): Promise<Scene> =>
  Scene.start(opened, {
    market: { symbols: 6, rate: 20, seed: 31 },
    engine: { workers: 1, spinUs: 50_000, interval: '10ms', workerUrl: killableWorkerUrl },
  });

const applied = ({ engine }: Scene): number => engine.market.status().counters.framesApplied;

it('with --spin-us: quotes are those of the books, and the worker is not busy while it looks for pushes', async ({ opened }) => {
  const looks = vi.spyOn(ShardEgress.prototype, 'attend');
  const scene = await start(opened);
  /** Best bid and ask of each book, by symbol, epoch and seq, as its changes tell. */
  const tops = new Map<string, unknown>();
  for (const follower of scene.followers) {
    follower.onChange = () => {
      const { symbol, epoch, seq } = follower;
      tops.set(`${symbol} ${epoch} ${seq}`, [follower.bids()[0] ?? null, follower.asks()[0] ?? null]);
    };
  }
  await scene.allLive();
  const client = opened(await PushClient.connect(scene.engine.wsUrl));
  const quotes = await client.listen<Quote>('bbo', scene.symbols, { interval: 0 });

  const busyMs = (): number => scene.engine.market.meters().shards[0]!.busyMs;
  const [fromMs, busyBefore, appliedBefore] = [performance.now(), busyMs(), applied(scene)];
  await until(() => applied(scene) > appliedBefore + 200, { what: '200 updates' });
  // Were it busy while it looks for pushes, it would be so all the time.
  expect(busyMs() - busyBefore).toBeLessThan((performance.now() - fromMs) / 2);
  await until(() => scene.symbols.every((symbol) => quotes.filter(({ sym }) => sym === symbol).length > 5), { what: 'quotes of each' });
  await expectSound(scene);

  const seqs = new Map<string, number>();
  let compared = 0;
  for (const { sym, epoch, seq, b, a } of [...quotes]) {
    expect([sym, seq >= (seqs.get(sym) ?? 0)]).toEqual([sym, true]);
    seqs.set(sym, seq);
    const top = tops.get(`${sym} ${epoch} ${seq}`);
    if (top === undefined) continue;
    compared++;
    expect([sym, seq, [b, a]]).toEqual([sym, seq, top]);
  }
  expect(compared).toBeGreaterThan(30);
  expect(looks).toHaveBeenCalled();
  looks.mockRestore();
});

it('with --spin-us: a worker that dies is replaced, and its books come back exact', async ({ opened }) => {
  const scene = await start(opened);
  await scene.allLive();
  const orders = opened(new BroadcastChannel('kill-shard'));
  for (let death = 1; death <= 2; death++) {
    orders.postMessage({ shard: 0, midWrite: death === 2 });
    await until(() => scene.engine.market.status().shards[0]!.restarts === death, { what: 'the loss of the worker' });
    await until(() => scene.followers.every(({ live, epoch }) => live && epoch === 1 + death), { what: 'all books live again' });
    await expectSound(scene);
  }
  const before = applied(scene);
  await until(() => applied(scene) > before + 50, { what: 'more updates' });
});
