import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodePush } from '../../src/simulator/push-codec.js';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.js';
import { ErrorCode } from '../../src/support/errors.js';
import { fullBookSha256 } from '../support/model-book.js';
import { framesPath, readExpected, reencodedSessions } from '../support/recorded.js';
import { sharedDir } from '../support/shared.js';
import { DepthFollower, StreamClient } from '../support/stream-client.js';
import { until } from '../support/until.js';

let simulator: Simulator | undefined;
const clients: StreamClient[] = [];

async function start(options: SimulatorOptions): Promise<Simulator> {
  simulator = await startSimulator(options);
  return simulator;
}

async function connect(): Promise<StreamClient> {
  const client = await StreamClient.connect(simulator!.wsUrl);
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await simulator?.close();
  simulator = undefined;
});

describe.skipIf(!sharedDir)('playback of recorded sessions (needs ../shared)', () => {
  it.each(reencodedSessions)('$name: a client that follows the rules ends with the recorded book', async (session) => {
    const { restUrl, symbols, replayDone, trueBook } = await start({ replay: framesPath(session), speed: 'max', waitForClient: true });
    const expected = readExpected(session.expected).symbols;
    expect([...symbols].sort()).toEqual(Object.keys(expected).sort());
    const client = await connect();
    const followers = new Map(symbols.map((symbol) => [symbol, new DepthFollower(symbol)]));
    client.onPush = (push) => followers.get(push.symbol ?? '')?.take(push);
    await client.subscribe(...[...followers.values()].map(({ channel }) => channel));
    for (const [symbol, follower] of followers) {
      await until(() => client.of(follower.channel).length > 0, { what: `the first push of ${symbol}` });
      await follower.fetchSnapshot(restUrl);
    }
    await replayDone;
    for (const [symbol, follower] of followers) {
      const truth = expected[symbol]!;
      await until(() => follower.version === truth.lastVersion, { what: `the last version of ${symbol}` });
      expect(follower.gaps + follower.crossed).toBe(0);
      expect(follower.applied).toBe(truth.applied);
      expect(follower.book.sha256()).toBe(truth.final.fullBookSha256);
      const book = trueBook(symbol);
      expect(fullBookSha256(book.bids, book.asks)).toBe(truth.final.fullBookSha256);
      const late = new DepthFollower(symbol);
      await late.fetchSnapshot(restUrl);
      expect(late.book.sha256()).toBe(truth.final.fullBookSha256);
    }
  });

  it('lists the recorded pairs with the scales and the turnover of the recording', async () => {
    const { restUrl } = await start({ replay: framesPath(reencodedSessions[0]) });
    const info = (await (await fetch(`${restUrl}/api/v3/exchangeInfo`)).json()) as { symbols: unknown[] };
    expect(info.symbols).toMatchObject([
      { symbol: 'BTCUSDT', baseAsset: 'BTC', quoteAsset: 'USDT', quotePrecision: 2, baseAssetPrecision: 6 },
    ]);
    const ticker = (await (await fetch(`${restUrl}/api/v3/ticker/24hr?symbol=BTCUSDT`)).json()) as Record<string, string>;
    expect(Number(ticker['quoteVolume'])).toBeGreaterThan(1e6);
  });

  it('offers what was recorded and nothing else', async () => {
    await start({ replay: framesPath(reencodedSessions[0]), speed: 1000 });
    const client = await connect();
    const accepted = [
      'spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT',
      'spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT',
      'spot@public.aggre.bookTicker.v3.api.pb@10ms@BTCUSDT',
    ];
    expect(await client.subscribe(...accepted)).toBe(`{"id":0,"code":0,"msg":"${accepted.join()}"}`);
    for (const channel of [
      'spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDT',
      'spot@public.limit.depth.v3.api.pb@BTCUSDT@5',
      'spot@public.miniTickers.v3.api.pb@24H',
      'spot@public.aggre.depth.v3.api.pb@100ms@ETHUSDT',
    ]) {
      expect(await client.subscribe(channel)).toContain('Blocked!');
    }
  });
});

/** A tiny recording: two symbols, a snapshot of A behind its second push. */
describe('playback', () => {
  const folder = mkdtempSync(join(tmpdir(), 'recording-'));
  const file = join(folder, 'tiny.frames.jsonl.gz');
  const channel = (symbol: string): string => `spot@public.aggre.depth.v3.api.pb@100ms@${symbol}`;
  const raw = '{"lastUpdateId":2,"bids":[["1.0","5"],["0.9","1"]],"asks":[["2.0","5"]]}';

  function ws(t: number, symbol: string, from: number, to: number, price: string, quantity: string): string {
    const bytes = encodePush({
      channel: channel(symbol),
      symbol,
      sendTime: t,
      publicAggreDepths: { bids: [{ price, quantity }], fromVersion: String(from), toVersion: String(to) },
    });
    return JSON.stringify({ t, k: 'ws', b64: Buffer.from(bytes).toString('base64') });
  }
  const rest = (t: number, symbol: string): string =>
    JSON.stringify({ t, k: 'rest', path: `/api/v3/depth?symbol=${symbol}&limit=1000`, raw });
  const write = (path: string, lines: readonly string[]): void => writeFileSync(path, gzipSync(lines.join('\n')));

  beforeAll(() => {
    write(file, [
      ws(1000, 'AUSDT', 1, 1, '1.0', '4'),
      ws(1010, 'BUSDT', 1, 2, '7', '1'),
      ws(1020, 'AUSDT', 2, 3, '1.0', '6'),
      rest(1030, 'AUSDT'),
      rest(1031, 'BUSDT'),
      ws(1040, 'BUSDT', 3, 3, '7', '0'),
      ws(1050, 'AUSDT', 4, 4, '0.95', '3'),
    ]);
    return () => rmSync(folder, { recursive: true });
  });

  it('begins when every symbol is subscribed to, and waits at a snapshot until a subscriber has it', async () => {
    const { restUrl, stats } = await start({ replay: file, speed: 'max', waitForClient: true });
    const depth = async (symbol: string, limit = 1000): Promise<string> =>
      (await fetch(`${restUrl}/api/v3/depth?symbol=${symbol}&limit=${limit}`)).text();
    // Nobody subscribes yet: looking does not count.
    expect(await depth('AUSDT')).toBe(raw);
    const client = await connect();
    await client.subscribe(channel('AUSDT'));
    expect(stats().playback).toEqual({ played: 0, total: 7 });
    await client.subscribe(channel('BUSDT'));
    await until(() => client.pushes.length === 3);
    expect(stats().playback?.played).toBe(3);
    expect(await depth('AUSDT')).toBe(raw);
    await until(() => stats().playback?.played === 4);
    expect(await depth('BUSDT', 1)).toBe('{"lastUpdateId":2,"bids":[["1.0","5"]],"asks":[["2.0","5"]]}');
    await simulator!.replayDone;
    expect(stats().playback).toEqual({ played: 7, total: 7 });
    expect(simulator!.trueBook('AUSDT')).toEqual({
      symbol: 'AUSDT',
      version: 4,
      bids: [
        ['1', '6'],
        ['0.95', '3'],
        ['0.9', '1'],
      ],
      asks: [['2', '5']],
    });
    expect(JSON.parse(await depth('AUSDT'))).toMatchObject({
      lastUpdateId: 4,
      bids: [
        ['1.00', '6'],
        ['0.95', '3'],
        ['0.90', '1'],
      ],
    });
  });

  it('plays in recorded order at any speed, and holds back a stalled symbol', async () => {
    const { replayDone } = await start({ replay: file, speed: 2, faults: [{ action: 'stall', symbol: 'AUSDT', forMs: 500 }] });
    const client = await connect();
    await client.subscribe(channel('AUSDT'), channel('BUSDT'));
    await replayDone;
    expect(simulator!.stats().playback).toEqual({ played: 7, total: 7 });
    const order = client.of(channel('AUSDT')).map((push) => Number(push.publicAggreDepths!.toVersion));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('ends when it is closed while waiting', async () => {
    const { replayDone, close } = await start({ replay: file, waitForClient: true });
    await close();
    await replayDone;
  });

  it.each([
    ['no.gz', undefined, /cannot read the recording/],
    ['empty.gz', [], /no events/],
    ['nonsense.gz', ['{"t":1}'], /line 1: neither a push/],
    ['notime.gz', ['{"k":"ws"}'], /"t" is no time/],
    ['notjson.gz', ['', 'x'], /line 2/],
    ['nopush.gz', ['{"t":1,"k":"ws","b64":"AAAA"}'], /line 1: not a push/],
  ])('refuses %s', async (name, lines, text) => {
    if (lines !== undefined) write(join(folder, name), lines);
    await expect(startSimulator({ replay: join(folder, name) })).rejects.toMatchObject({
      code: ErrorCode.RECORDING_MALFORMED,
      message: expect.stringMatching(text) as string,
    });
  });

  it('refuses two recordings of one symbol', async () => {
    await expect(startSimulator({ replay: [file, file] })).rejects.toMatchObject({
      code: ErrorCode.RECORDING_MALFORMED,
      message: expect.stringContaining('AUSDT') as string,
    });
  });
});
