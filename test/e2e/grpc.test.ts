import { status as Status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FanOutStatus } from '../../src/publish/publication-hub.js';
import type { Closable } from '../support/cleanup.js';
import { getStatus } from '../support/engine.js';
import { GrpcClient, type Message } from '../support/grpc-client.js';
import { followGrpc } from '../support/grpc-follower.js';
import { expectSound, Scene } from '../support/scene.js';
import { expectTruth } from '../support/true-book.js';
import { until } from '../support/until.js';

const open: Closable[] = [];
let scene: Scene;
let client: GrpcClient;

function opened<T extends Closable>(thing: T): T {
  open.push(thing);
  return thing;
}

beforeAll(async () => {
  scene = await Scene.start(opened, { market: { symbols: 4, rate: 20 }, engine: { grpcPort: 0, interval: '10ms' } });
  client = opened(new GrpcClient(scene.engine.grpcAddress!));
  await scene.allLive(25_000);
});

afterAll(async () => {
  for (const thing of open.reverse()) await thing.close();
});

async function fanOut(): Promise<FanOutStatus> {
  const { clients } = (await getStatus(scene.url)) as unknown as { readonly clients: FanOutStatus };
  return clients;
}

const seqOf = (message: Message): number => (message['order_book'] as { readonly seq: number }).seq;

describe('gRPC streams of a running engine', () => {
  it('deltas rebuild the exchange’s book exactly, across a resync', async () => {
    const symbol = scene.symbols[1]!;
    const follower = followGrpc(symbol, client.books({ symbol, mode: 'DELTAS', full_depth: true, exact: true }));
    await until(() => follower.deltas > 20, { what: 'deltas' });
    scene.sim.injectFault({ action: 'skip', symbol });
    await until(() => follower.epoch === 2 && follower.deltas > 40, { what: 'the book of the next epoch, and deltas on it' });
    await expectTruth(scene.sim, symbol, "the client's book", 10_000, () =>
      follower.live ? { version: follower.version, bids: follower.bids(), asks: follower.asks() } : undefined,
    );
    expect(follower.faults).toEqual([]);
    expect([follower.snapshots, follower.states]).toEqual([['subscribe', 'resync'], ['syncing gap']]);
    await expectSound(scene);
  });

  it('fifty streams of one book are one publication, and each has every message in order', async () => {
    const [symbol, other] = [scene.symbols[0]!, scene.symbols[1]!];
    const before = await fanOut();
    const clients = [client, ...Array.from({ length: 4 }, () => opened(new GrpcClient(scene.engine.grpcAddress!)))];
    const streams = clients.flatMap((each) => Array.from({ length: 10 }, () => each.books({ symbol, depth: 10 })));
    const alone = client.books({ symbol: other, depth: 1, update_speed: 200 });
    await until(() => [...streams, alone].every(({ received }) => received.length > 3), {
      timeoutMs: 20_000,
      what: 'messages on all streams',
    });
    const after = await fanOut();
    const added = (name: 'publications' | 'subscriptions'): number => after[name] - before[name];
    expect([added('publications'), added('subscriptions')]).toEqual([2, 51]);
    const seqs = streams.map(({ received }) => received.map(seqOf));
    // Whoever came first saw the most; the others see the same from where they came in.
    const longest = seqs.reduce((a, b) => (b[0]! < a[0]! ? b : a));
    for (const each of seqs) {
      const length = Math.min(each.length, longest.length - longest.indexOf(each[1]!)) - 1;
      expect(each.slice(1, 1 + length)).toEqual(longest.slice(longest.indexOf(each[1]!)).slice(0, length));
    }
  });

  it('a book that goes on in the next epoch is a fresh message to a client that knows nothing of states', async () => {
    const symbol = scene.symbols[2]!;
    const stream = client.books({ symbol, depth: 5 });
    await stream.next();
    scene.sim.injectFault({ action: 'skip', symbol });
    await until(() => stream.received.some((update) => (update['order_book'] as Message)['epoch'] === 2), { what: 'the next epoch' });
    expect(stream.ended).toBeUndefined();
    expect(stream.received.every((update) => update['is_snapshot'] === true && update['status'] === null)).toBe(true);
  });

  it('the end of the engine ends them', async () => {
    const streams = scene.symbols.map((symbol) => client.books({ symbol }));
    await Promise.all(streams.map((stream) => stream.next()));
    await scene.engine.close();
    for (const stream of streams) {
      const { code, metadata } = await stream.end();
      expect([code, metadata['code']]).toEqual([Status.UNAVAILABLE, 'SHUTTING_DOWN']);
    }
  });
});
