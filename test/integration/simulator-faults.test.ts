import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultSpec, type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import { decodePush } from '../../src/simulator/push-codec.js';
import { DepthFollower, StreamClient } from '../support/stream-client.js';
import { until } from '../support/until.js';

const SYMBOL = 'BTCUSDT';
const OTHER = 'ETHUSDT';
const CHANNEL = `spot@public.aggre.depth.v3.api.pb@100ms@${SYMBOL}`;

let simulator: Simulator;
let client: StreamClient;
let follower: DepthFollower;
let other: DepthFollower;

/** Ranges of the depth pushes as they came. */
function ranges(): [from: number, to: number][] {
  return client.of(CHANNEL).map(({ publicAggreDepths: body }) => [Number(body!.fromVersion), Number(body!.toVersion)]);
}

beforeEach(async () => {
  simulator = await startSimulator({ symbols: [SYMBOL, OTHER, 'SOLUSDT'], rate: 30, seed: 3 });
  client = await StreamClient.connect(simulator.wsUrl);
  follower = new DepthFollower(SYMBOL);
  other = new DepthFollower(OTHER);
  client.onPush = (push) => {
    follower.take(push);
    other.take(push);
  };
  await client.subscribe(follower.channel, other.channel);
  await until(() => client.of(follower.channel).length > 0 && client.of(other.channel).length > 0);
  await follower.fetchSnapshot(simulator.restUrl);
  await other.fetchSnapshot(simulator.restUrl);
  await until(() => follower.applied > 0 && other.applied > 0);
});

afterEach(async () => {
  client.terminate();
  await simulator.close();
});

describe('faults of pushes', () => {
  it('skip: the versions jump, for this symbol only', async () => {
    simulator.injectFault({ action: 'skip', symbol: SYMBOL });
    await until(() => follower.gaps > 2);
    await until(() => other.applied > 5);
    expect(other.gaps).toBe(0);
    await follower.fetchSnapshot(simulator.restUrl);
    const applied = follower.applied;
    await until(() => follower.applied > applied + 2);
  });

  it('duplicate: nothing is lost', async () => {
    simulator.injectFault({ action: 'duplicate', symbol: SYMBOL });
    await until(() => follower.dropped === 1);
    expect(follower.gaps).toBe(0);
  });

  it('reorder: two pushes change places', async () => {
    const before = ranges().length;
    simulator.injectFault({ action: 'reorder', symbol: SYMBOL });
    await until(() => ranges().length > before + 4);
    const steps = ranges()
      .slice(1)
      .map(([from], index) => from - ranges()[index]![1]);
    expect(steps.filter((step) => step !== 1)).toHaveLength(3);
    const sorted = ranges().sort(([a], [b]) => a - b);
    expect(sorted.every(([from], index) => index === 0 || from === sorted[index - 1]![1] + 1)).toBe(true);
  });

  it('truncate: one frame cannot be decoded', async () => {
    simulator.injectFault({ action: 'truncate', symbol: SYMBOL });
    await until(() => follower.gaps > 0);
    expect(client.frames.length - client.pushes.length).toBe(1);
  });

  it('unknownFields: the push is as good as any', async () => {
    simulator.injectFault({ action: 'unknownFields', symbol: SYMBOL, pushes: 2 });
    const applied = follower.applied;
    await until(() => follower.applied > applied + 3);
    expect(follower.gaps).toBe(0);
    expect(client.frames.filter((frame) => frame.includes('unknown')).map((frame) => decodePush(frame).symbol)).toEqual([SYMBOL, SYMBOL]);
  });

  it('after a number of pushes', async () => {
    simulator.injectFault({ action: 'skip', symbol: SYMBOL, afterPushes: 3 });
    const applied = follower.applied;
    await until(() => follower.gaps > 0);
    expect(follower.applied - applied).toBe(3);
  });

  it.each(['merge', 'gap'] as const)('stall, then %s', async (after) => {
    simulator.injectFault({ action: 'stall', symbol: SYMBOL, forMs: 400, after });
    const applied = follower.applied;
    const others = other.applied;
    await until(() => other.applied > others + 2);
    expect(follower.applied).toBe(applied);
    await until(() => follower.gaps > 0 || follower.applied > applied + 2);
    expect(follower.gaps > 0).toBe(after === 'gap');
  });
});

describe('faults of connections', () => {
  it.each([
    [1001, 1001],
    [undefined, 1006],
  ])('drop with code %s', async (closeCode, seen) => {
    const bystander = await StreamClient.connect(simulator.wsUrl);
    await bystander.subscribe('spot@public.aggre.depth.v3.api.pb@100ms@SOLUSDT');
    simulator.injectFault({ action: 'drop', symbol: SYMBOL, ...(closeCode !== undefined && { closeCode }) });
    expect(await client.closed()).toBe(seen);
    expect(await bystander.ask('{"method":"PING"}')).toContain('PONG');
    bystander.terminate();
  });

  it('halfOpen: open, but dead', async () => {
    const bystander = await StreamClient.connect(simulator.wsUrl);
    simulator.injectFault({ action: 'halfOpen', symbol: SYMBOL });
    const texts = client.texts.length;
    client.send('{"method":"PING"}');
    const frames = client.frames.length;
    for (let i = 0; i < 10; i++) await bystander.ask('{"method":"PING"}');
    await bystander.subscribe(follower.channel);
    await until(() => bystander.of(follower.channel).length > 2);
    expect([client.texts.length, client.closeCode]).toEqual([texts, undefined]);
    expect(client.frames.length).toBeLessThanOrEqual(frames + 1);
    bystander.terminate();
  });

  it('refuse: a number of channels', async () => {
    simulator.injectFault({ action: 'refuse', symbol: 'SOLUSDT', count: 1 });
    const channel = 'spot@public.aggre.depth.v3.api.pb@100ms@SOLUSDT';
    expect(await client.subscribe(channel)).toContain('Blocked!');
    expect(await client.subscribe(channel)).toBe(`{"id":0,"code":0,"msg":"${channel}"}`);
  });
});

describe('faults of REST', () => {
  const depth = (symbol = SYMBOL): Promise<Response> => fetch(`${simulator.restUrl}/api/v3/depth?symbol=${symbol}&limit=5000`);
  const versionOf = async (response: Response): Promise<number> => ((await response.json()) as { lastUpdateId: number }).lastUpdateId;

  it('429 with Retry-After, 403 with HTML, 5xx without JSON, each once', async () => {
    const faults: FaultSpec[] = [
      { action: 'rest429', symbol: SYMBOL, retryAfterSeconds: 7 },
      { action: 'rest403', symbol: SYMBOL },
      { action: 'rest5xx', symbol: SYMBOL, status: 503 },
    ];
    for (const fault of faults) simulator.injectFault(fault);
    expect((await depth(OTHER)).status).toBe(200);
    const throttled = await depth();
    expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([429, '7']);
    const denied = await depth();
    expect([denied.status, denied.headers.get('content-type'), denied.headers.has('retry-after')]).toEqual([403, 'text/html', false]);
    const broken = await depth();
    expect([broken.status, broken.headers.get('content-type')]).toEqual([503, 'text/html']);
    expect((await depth()).status).toBe(200);
  });

  it('slow snapshots show the book of the request', async () => {
    simulator.injectFault({ action: 'slowSnapshots', symbol: SYMBOL, delayMs: 300 });
    const now = simulator.trueBook(SYMBOL).version;
    const slow = depth();
    const quick = await versionOf(await depth());
    const old = await versionOf(await slow);
    expect(old).toBeGreaterThanOrEqual(now);
    expect(old).toBeLessThanOrEqual(quick);
    expect(simulator.trueBook(SYMBOL).version).toBeGreaterThan(old);
  });

  it('old snapshots are books that were once true', async () => {
    const firstPushed = ranges().length;
    simulator.injectFault({ action: 'oldSnapshots', symbol: SYMBOL, pushes: 4, count: 1 });
    const known = simulator.trueBook(SYMBOL).version;
    await until(() => ranges().length > firstPushed + 6);
    const response = await depth();
    const now = simulator.trueBook(SYMBOL).version;
    const late = new DepthFollower(SYMBOL);
    const answer = (await response.json()) as { lastUpdateId: number; bids: [string, string][]; asks: [string, string][] };
    expect(answer.lastUpdateId).toBeGreaterThanOrEqual(known);
    expect(answer.lastUpdateId).toBeLessThan(now);
    // Carried on by the pushes it should join, it becomes the true book.
    late.snapshot(answer);
    const truth = await until(() => {
      const book = simulator.trueBook(SYMBOL);
      return ranges().at(-1)?.[1] === book.version ? book : undefined;
    });
    for (const push of client.of(CHANNEL)) if (Number(push.publicAggreDepths?.toVersion) <= truth.version) late.take(push);
    expect(late.gaps).toBe(0);
    expect(late.version).toBe(truth.version);
    expect(late.book.levels('bid')).toEqual(truth.bids);
    expect(late.book.levels('ask')).toEqual(truth.asks);
  });

  it('takes faults over HTTP, and says what is wrong with them', async () => {
    const post = (body: string): Promise<Response> => fetch(`${simulator.restUrl}/sim/faults`, { method: 'POST', body });
    expect(await (await post('[{"action":"rest429","symbol":"BTCUSDT"},{"action":"skip"}]')).json()).toEqual({ added: 2 });
    expect((await depth()).status).toBe(429);
    const bad = await post('{"action":"stall"}');
    expect([bad.status, await bad.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'CONFIG_INVALID', errors: ['faults[0]: "forMs" is missing'] }),
    ]);
    expect((await post('{')).status).toBe(400);
    expect((await fetch(`${simulator.restUrl}/sim/faults`)).status).toBe(405);
  });
});
