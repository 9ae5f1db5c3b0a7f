import { afterEach, describe, expect, it } from 'vitest';
import { parseChannel } from '../../src/mexc/channels.js';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.js';
import { DepthFollower, StreamClient } from '../support/stream-client.js';
import { until } from '../support/until.js';

const depth = (symbol: string): string => `spot@public.aggre.depth.v3.api.pb@100ms@${symbol}`;
const deals = (symbol: string): string => `spot@public.aggre.deals.v3.api.pb@100ms@${symbol}`;
const blocked = (list: string): string => `Not Subscribed successfully! [${list}].  Reason： Blocked! `;
const msgOf = (text: string): string => (JSON.parse(text) as { msg: string }).msg;

let simulator: Simulator;
const clients: StreamClient[] = [];

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  simulator = await startSimulator({ seed: 5, ...options });
  return simulator;
}

async function connect(): Promise<StreamClient> {
  const client = await StreamClient.connect(simulator.wsUrl);
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await simulator.close();
});

describe('subscriptions', () => {
  it('answers success, refusal and a mixture as the exchange does', async () => {
    await start();
    const client = await connect();
    expect(await client.ask({ method: 'SUBSCRIPTION', params: [depth('BTCUSDT'), deals('龙虾USDT')], id: 7 })).toBe(
      `{"id":7,"code":0,"msg":"${depth('BTCUSDT')},${deals('龙虾USDT')}"}`,
    );
    expect(await client.subscribe(depth('NOPEUSDT'))).toBe(`{"id":0,"code":0,"msg":"${blocked(depth('NOPEUSDT'))}"}`);
    expect(msgOf(await client.subscribe(depth('ETHUSDT'), depth('ethusdt')))).toBe(
      `Subscribed successful! [${depth('ETHUSDT')}]. ${blocked(depth('ethusdt'))}`,
    );
    expect(await client.ask({ method: 'UNSUBSCRIPTION', params: [depth('ETHUSDT')] })).toBe(
      `{"id":0,"code":0,"msg":"${depth('ETHUSDT')}"}`,
    );
    expect(msgOf(await client.ask({ method: 'UNSUBSCRIPTION', params: [depth('ETHUSDT')] }))).toBe('no subscription');
  });

  it('refuses retired and malformed channels', async () => {
    await start();
    const client = await connect();
    const bad = [
      'spot@public.deals.v3.api@BTCUSDT',
      'spot@public.deals.v3.api.pb@BTCUSDT',
      'spot@public.increase.depth.v3.api.pb@BTCUSDT',
      'spot@public.increase.depth.batch.v3.api.pb@BTCUSDT',
      'spot@public.aggre.depth.v3.api.pb@BTCUSDT',
      'spot@public.aggre.depth.v3.api.pb@50ms@BTCUSDT',
      'spot@public.kline.v3.api.pb@BTCUSDT@1m',
      'spot@public.limit.depth.v3.api.pb@BTCUSDT@7',
      'spot@public.miniTicker.v3.api.pb@BTCUSDT',
      'nonsense',
      '',
    ];
    for (const channel of bad) expect(msgOf(await client.subscribe(channel))).toBe(blocked(channel));
    expect(simulator.stats().channels).toBe(0);
  });

  it('holds thirty on a connection over all its messages, and refuses the rest', async () => {
    await start({ symbols: 40 });
    const client = await connect();
    const channels = simulator.symbols.map(depth);
    await client.subscribe(...channels.slice(0, 20));
    expect(msgOf(await client.subscribe(...channels.slice(18, 40)))).toBe(
      `Subscribed successful! [${channels.slice(18, 30).join()}]. ${blocked(channels.slice(30).join())}`,
    );
    await client.ask({ method: 'UNSUBSCRIPTION', params: [channels[0]] });
    expect(msgOf(await client.subscribe(channels[35]!))).toBe(channels[35]);
    const other = await connect();
    expect(msgOf(await other.subscribe(...channels.slice(0, 30)))).toBe(channels.slice(0, 30).join());
  });

  it('never frees a place where the limits say so', async () => {
    await start({ limits: { subscriptionsPerConnection: 1, unsubscribeFreesSlot: false } });
    const client = await connect();
    await client.subscribe(depth('BTCUSDT'));
    await client.ask({ method: 'UNSUBSCRIPTION', params: [depth('BTCUSDT')] });
    expect(msgOf(await client.subscribe(depth('BTCUSDT')))).toBe(blocked(depth('BTCUSDT')));
  });

  it('pushes every public channel on its name', async () => {
    await start({ symbols: ['BTCUSDT', '币安人生USDT'], rate: 50 });
    const client = await connect();
    const symbol = '币安人生USDT';
    const channels = [
      ...['10ms', '100ms'].flatMap((speed) =>
        ['depth', 'deals', 'bookTicker'].map((kind) => `spot@public.aggre.${kind}.v3.api.pb@${speed}@${symbol}`),
      ),
      `spot@public.limit.depth.v3.api.pb@${symbol}@20`,
      `spot@public.kline.v3.api.pb@${symbol}@Week1`,
      `spot@public.bookTicker.batch.v3.api.pb@${symbol}`,
      `spot@public.miniTicker.v3.api.pb@${symbol}@UTC+5:30`,
      'spot@public.miniTickers.v3.api.pb@24H',
    ];
    expect(msgOf(await client.subscribe(...channels))).toBe(channels.join());
    await until(() => channels.every((channel) => client.of(channel).length > 0), { what: 'a push of each channel' });
    for (const push of client.pushes) expect(push.symbol).toBe(parseChannel(push.channel).kind === 'miniTickers' ? undefined : symbol);
  });

  it('stops pushing what was unsubscribed', async () => {
    await start({ rate: 50 });
    const client = await connect();
    await client.subscribe(depth('BTCUSDT'), depth('ETHUSDT'));
    await until(() => client.of(depth('BTCUSDT')).length > 2);
    await client.ask({ method: 'UNSUBSCRIPTION', params: [depth('BTCUSDT')] });
    const count = client.of(depth('BTCUSDT')).length;
    const others = client.of(depth('ETHUSDT')).length;
    await until(() => client.of(depth('ETHUSDT')).length > others + 3);
    expect(client.of(depth('BTCUSDT'))).toHaveLength(count);
    client.terminate();
    await until(() => simulator.stats().channels === 0);
  });
});

describe('other messages', () => {
  it('answers PING in either case', async () => {
    await start();
    const client = await connect();
    expect(await client.ask('{"method":"PING"}')).toBe('{"id":0,"code":0,"msg":"PONG"}');
    expect(await client.ask('{"method":"ping","id":9}')).toBe('{"id":9,"code":0,"msg":"PONG"}');
  });

  it('ignores nonsense, or refuses it when told to', async () => {
    await start();
    const client = await connect();
    for (const text of ['{', '[]', '{"method":"LOGIN"}', '{"method":"SUBSCRIPTION"}']) client.send(text);
    client.socket.send(Buffer.from([1, 2, 3]));
    expect(await client.ask('{"method":"PING"}')).toContain('PONG');
    await simulator.close();
    await start({ malformedRequests: 'refuse' });
    const second = await connect();
    expect(JSON.parse(await second.ask('{'))).toMatchObject({ code: 1 });
  });
});

describe('time limits', () => {
  it('closes a connection without a subscription', async () => {
    await start({ limits: { noSubscriptionCloseMs: 60 } });
    const client = await connect();
    await client.subscribe('nonsense');
    expect(await client.closed()).toBe(1000);
  });

  it('drops a quiet connection without a close frame, unless it sends PING', async () => {
    await start({ rate: 0.001, limits: { idleDropMs: 150, noSubscriptionCloseMs: 100_000 } });
    const quiet = await connect();
    const pinging = await connect();
    await quiet.subscribe(depth('BTCUSDT'));
    await pinging.subscribe(depth('BTCUSDT'));
    await until(async () => {
      await pinging.ask('{"method":"PING"}');
      return quiet.closeCode !== undefined;
    });
    expect(quiet.closeCode).toBe(1006);
    expect(pinging.closeCode).toBeUndefined();
  });

  it('ends every connection after its lifetime, also a busy one', async () => {
    await start({ rate: 50, limits: { connectionLifetimeMs: 200 } });
    const client = await connect();
    await client.subscribe(depth('BTCUSDT'));
    expect(await client.closed()).toBe(1000);
    expect(client.pushes.length).toBeGreaterThan(0);
  });

  it('drops a client that talks too much', async () => {
    await start();
    const client = await connect();
    for (let i = 0; i < 101; i++) client.send('{"method":"PING"}');
    expect(await client.closed()).toBe(1006);
  });
});

describe('a client that follows the published rules', () => {
  it('ends with the true book, at both speeds', async () => {
    await start({ symbols: 8, rate: 20 });
    const client = await connect();
    const followers = simulator.symbols
      .slice(0, 4)
      .flatMap((symbol) => [new DepthFollower(symbol, '100ms'), new DepthFollower(symbol, '10ms')]);
    client.onPush = (push) => followers.forEach((follower) => follower.take(push));
    await client.subscribe(...followers.map(({ channel }) => channel));
    for (const follower of followers) {
      await until(() => client.of(follower.channel).length > 0);
      await follower.fetchSnapshot(simulator.restUrl);
    }
    await until(() => followers.every(({ applied }) => applied > 30));
    for (const follower of followers) {
      const symbol = follower.channel.split('@').at(-1)!;
      const truth = await until(() => {
        const book = simulator.trueBook(symbol);
        return book.version === follower.version ? book : undefined;
      });
      expect(follower.gaps + follower.crossed).toBe(0);
      expect(follower.book.levels('bid')).toEqual(truth.bids);
      expect(follower.book.levels('ask')).toEqual(truth.asks);
    }
  });
});
