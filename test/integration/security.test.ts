import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { packageRoot } from '../../src/support/config/index.js';
import { apiKeys } from '../support/api-keys.js';
import { GrpcClient } from '../support/grpc-client.js';
import { MdpProcess } from '../support/mdp-process.js';
import { startEngine } from '../support/engine.js';
import { until } from '../support/until.js';

const guide = readFileSync(join(packageRoot(), 'docs/security.md'), 'utf8');
/** A command of the guide. */
const command = (start: string): string => guide.split('\n').find((line) => line.startsWith(start))!;

/** Nobody listens there: whoever asks the exchange before it looks at the rule fails with another code. */
const nowhere = ['--ws-url', 'ws://127.0.0.1:9/ws', '--rest-url', 'http://127.0.0.1:9'];

describe('the rule', () => {
  it.each([
    ['start', ['--host', '0.0.0.0', ...nowhere], '--api-keys'],
    ['start', ['--host', '::', ...nowhere], '--api-keys'],
    ['sim', ['--host', '0.0.0.0', '--port', '0'], 'listen on 127.0.0.1'],
    ['demo', ['--host', '0.0.0.0', '--port', '0'], '--api-keys'],
  ])('mdp %s %j ends with 2 and says why', async (name, flags, wayOut) => {
    const process = new MdpProcess(name, ...flags);
    try {
      expect(await process.ended).toEqual({ code: 2, signal: null });
      expect(process.stderr).toMatch(/^mdp: PUBLIC_WITHOUT_KEYS: \S+: other machines can reach this address .*--insecure-public/m);
      expect(process.stderr).toContain(wayOut);
    } finally {
      await process.close();
    }
  });

  it('holds for an engine inside another program', async () => {
    const exchange = { wsUrl: nowhere[1]!, restUrl: nowhere[3]! };
    for (const host of ['0.0.0.0', ''])
      await expect(startEngine(exchange, { host })).rejects.toMatchObject({ code: 'PUBLIC_WITHOUT_KEYS' });
  });
});

const openssl = hasOpenssl();
if (!openssl) process.stdout.write('TLS is not tested: there is no openssl\n');

describe.skipIf(!openssl)('the engine for others of docs/security.md', () => {
  /** The example's keys, as the guide shows them. */
  const [reader, admin] = ['/orderbook', '-X POST'].map((word) => {
    const line = guide.split('\n').find((text) => text.startsWith('curl --cacert') && text.includes(word))!;
    return /Bearer ([\w-]+)/.exec(line)![1]!;
  }) as [string, string];
  let example: Record<string, unknown>;
  let folder: string;
  let ca: Buffer;
  let sim: Simulator;
  let engine: MdpProcess;
  let url: string;
  let wsUrl: string;
  let grpcAddress: string;
  let agent: Agent;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mdp-tls-'));
    execFileSync('/bin/sh', ['-c', command('openssl req ')], { cwd: folder, stdio: 'ignore' });
    ca = readFileSync(join(folder, 'cert.pem'));
    sim = await startSimulator({ symbols: 4, rate: 8, seed: 61 });
    const { start } = JSON.parse(/^```json\n([\s\S]*?)^```/m.exec(guide)![1]!) as { start: Record<string, unknown> };
    example = start;
    const here = {
      ...{ host: '127.0.0.1', port: 0, grpcPort: 0, symbols: sim.symbols.slice(0, 2).join(','), wsUrl: sim.wsUrl, restUrl: sim.restUrl },
      ...{ tlsCert: join(folder, 'cert.pem'), tlsKey: join(folder, 'key.pem'), logLevel: 'trace' },
    };
    writeFileSync(join(folder, 'mdp.json'), JSON.stringify({ start: { ...start, ...here } }));
    engine = new MdpProcess('start', '--grpc-port', '0', '--config', join(folder, 'mdp.json'));
    const said = await engine.text(/"url":"(https:[^"]+)","wsUrl":"(wss:[^"]+)","grpc":"([^"]+)"/);
    // The certificate's first name; an address is no server name.
    [, url, wsUrl, grpcAddress] = said.map((text) => text.replace('127.0.0.1', 'localhost')) as [string, string, string, string];
    agent = new Agent({ connect: { ca } });
    await until(async () => (await ask('GET', '/health/ready')).status === 200, { what: 'readiness' });
    for (const symbol of sim.symbols.slice(0, 2))
      await until(async () => (await ask('GET', `/orderbook/${symbol}`, reader)).status === 200, { what: symbol });
  });
  afterAll(async () => {
    await agent?.close();
    await engine?.close();
    await sim?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (method: string, path: string, key?: string) => {
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const answer = await fetch(url + path, { method, headers, dispatcher: agent });
    const body = await answer.text();
    return { status: answer.status, code: /"code":"(\w+)"/.exec(body)?.[1], hsts: answer.headers.get('strict-transport-security') };
  };

  it('answers the requests of the guide', () => {
    const commands = guide.split('\n').filter((line) => line.startsWith('curl --cacert'));
    expect(commands.length).toBe(2);
    const answers = commands.map((text) => {
      const here = text.replace('curl', 'curl -sS --max-time 10').replace('localhost:8080', new URL(url).host);
      return JSON.parse(execFileSync('/bin/sh', ['-c', here], { cwd: folder, encoding: 'utf8' })) as object;
    });
    expect(answers).toMatchObject([
      { symbol: 'BTCUSDT', state: 'live' },
      { symbol: 'SOLUSDT', added: true },
    ]);
  });

  it('answers over TLS, by the keys of the guide', async () => {
    const [first, , , spare] = sim.symbols as [string, string, string, string];
    expect(await ask('GET', `/orderbook/${first}`)).toMatchObject({ status: 401, code: 'KEY_REQUIRED' });
    expect(await ask('GET', `/orderbook/${first}`, reader)).toMatchObject({ status: 200, hsts: 'max-age=31536000' });
    expect(await ask('POST', `/symbols/${spare}`, reader)).toMatchObject({ status: 403, code: 'RIGHT_MISSING' });
    expect(await ask('POST', `/symbols/${spare}`, admin)).toMatchObject({ status: 201 });
    expect(await ask('DELETE', `/symbols/${spare}`, admin)).toMatchObject({ status: 204 });
  });

  it('is one that other machines reach', () => {
    expect(example).toMatchObject({ host: '0.0.0.0', tlsCert: 'cert.pem', tlsKey: 'key.pem' });
  });

  it('speaks nothing else on its ports', async () => {
    await expect(fetch(url.replace('https:', 'http:'))).rejects.toThrow('fetch failed');
    const clear = new GrpcClient(grpcAddress, { headers: { 'x-api-key': reader } });
    await expect(clear.call('GetOrderBook', { symbol: sim.symbols[0]! })).rejects.toMatchObject({ code: 14 });
    clear.close();
  });

  it('describes its WebSocket as one over TLS', async () => {
    const document = (await (await fetch(`${url}/asyncapi.json`, { dispatcher: agent })).json()) as { servers: object };
    expect(document.servers).toMatchObject({ engine: { protocol: 'wss', host: new URL(url).host } });
  });

  it('pushes over TLS, to programs and to pages of the allowed origin', async () => {
    const pages: readonly [string, object, string[]][] = [
      ['program', { headers: { authorization: `Bearer ${reader}` } }, []],
      ['page', { origin: 'https://desk.example' }, ['mdp', `mdp.key.${reader}`]],
    ];
    for (const [who, options, protocols] of pages) {
      const ws = new WebSocket(wsUrl, protocols, { ca, ...options });
      const channels: string[] = [];
      ws.on('message', (data: Buffer) => channels.push((JSON.parse(data.toString()) as { ch?: string }).ch ?? ''));
      ws.on('open', () => ws.send(JSON.stringify({ op: 'subscribe', channel: 'book', symbols: [sim.symbols[0]] })));
      await until(() => channels.filter((channel) => channel === 'book').length > 2, { what: `books for the ${who}` });
      ws.terminate();
    }
    const elsewhere = new WebSocket(wsUrl, ['mdp', `mdp.key.${reader}`], { ca, origin: 'https://evil.example' });
    const refused = await new Promise((resolve) => elsewhere.once('unexpected-response', (_, { statusCode }) => resolve(statusCode)));
    elsewhere.on('error', () => {}).terminate();
    expect(refused).toBe(403);
  });

  it('answers and streams by gRPC over TLS', async () => {
    const client = new GrpcClient(grpcAddress, { ca, headers: { authorization: `Bearer ${reader}` } });
    expect(await client.call('GetOrderBook', { symbol: sim.symbols[0]! })).toMatchObject({ symbol: sim.symbols[0] });
    const stream = client.books({ symbol: sim.symbols[0]! });
    for (let messages = 0; messages < 3; messages++) await stream.next();
    client.close();
    const keyless = new GrpcClient(grpcAddress, { ca });
    await expect(keyless.call('GetOrderBook', { symbol: sim.symbols[0]! })).rejects.toMatchObject({ code: 16 });
    keyless.close();
  });

  it('has written no key and no hash', () => {
    const said = engine.stdout + engine.stderr;
    expect(said).toContain('"key":"ops"');
    const hashes = [...guide.matchAll(/\b[0-9a-f]{64}\b/g)].map(([hash]) => hash);
    expect(hashes.length).toBeGreaterThan(2);
    expect([reader, admin, ...hashes].filter((secret) => said.includes(secret))).toEqual([]);
  });
});

it('a certificate that cannot be read ends the start with 2', async () => {
  const process = new MdpProcess('start', ...nowhere, '--tls-cert', 'none.pem', '--tls-key', 'none.pem');
  expect(await process.ended).toEqual({ code: 2, signal: null });
  expect(process.stderr).toMatch(/^mdp: TLS_UNUSABLE: none\.pem cannot be read: ENOENT/);
});

it('keys on the command line that do not fit are not repeated', async () => {
  const process = new MdpProcess('start', '--api-keys', `bot:read:${apiKeys[0]!.sha256}x`);
  expect(await process.ended).toEqual({ code: 2, signal: null });
  expect(process.stderr).toContain('--api-keys: the value is not NAME:read:SHA256');
  expect(process.stderr).not.toContain(apiKeys[0]!.sha256);
});

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
