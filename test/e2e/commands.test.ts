import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it, type Open } from '../support/cleanup.js';
import { engineOf, exchangeOf, MdpProcess } from '../support/mdp-process.js';
import { PushClient } from '../support/push-client.js';
import { until } from '../support/until.js';

/** It asked to end and ended: after 5 s it would have ended with 1 (see its own deadline). */
const wellEnded = { code: 0, signal: null };

async function startSim(opened: Open, ...flags: readonly string[]): Promise<{ sim: MdpProcess; exchangeFlags: string[] }> {
  const sim = opened(new MdpProcess('sim', '--port', '0', '--symbols', '5', '--rate', '8', ...flags));
  const { wsUrl, restUrl } = await exchangeOf(sim);
  return { sim, exchangeFlags: ['--ws-url', wsUrl, '--rest-url', restUrl] };
}

async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const answered = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(
    () => false,
  );
  socket.destroy();
  return answered;
}

/** A path that is gone after the test. */
function temporaryFile(opened: Open, name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mdp-test-'));
  opened({ close: () => rmSync(folder, { recursive: true }) });
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe.concurrent('mdp start', () => {
  it('ends on SIGTERM with clients connected, who are told', async ({ opened }) => {
    const { sim, exchangeFlags } = await startSim(opened);
    const start = opened(
      new MdpProcess('start', '--port', '0', '--symbols', 'all', '--workers', '2', '--snapshot-rate', '50', ...exchangeFlags),
    );
    const { url, wsUrl } = await engineOf(start);
    await start.text(/"all books live"/);
    const clients = await Promise.all(Array.from({ length: 5 }, () => PushClient.connect(wsUrl)));
    for (const client of clients) opened(client);
    const { symbols } = (await (await fetch(`${url}/symbols`)).json()) as { symbols: { symbol: string }[] };
    const names = symbols.map(({ symbol }) => symbol);
    const followers = (await Promise.all(clients.map((client) => client.follow(names, 'full', 0)))).flat();
    await until(() => followers.every(({ deltas }) => deltas > 0), { what: 'updates at every client' });
    // One that says nothing, one in the middle of a request, one that keeps its connection for the next request.
    const { hostname, port } = new URL(url);
    const idle = connect(Number(port), hostname);
    const slow = connect(Number(port), hostname);
    for (const socket of [idle, slow]) {
      opened({ close: () => socket.destroy() });
      socket.on('error', () => {});
      await once(socket, 'connect');
    }
    slow.write('GET /status HTTP/1.1\r\nHost: mdp\r\n');
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);

    start.signal('SIGTERM');
    expect(await start.ended).toEqual(wellEnded);
    await until(() => clients.every(({ closeCode }) => closeCode !== undefined), { what: 'the clients to be told' });
    expect(clients.map(({ closeCode }) => closeCode)).toEqual(clients.map(() => 1001));
    expect(followers.flatMap(({ faults }) => faults)).toEqual([]);
    expect(start.stderr).toBe('');
    expect(await isListening(url)).toBe(false);
    sim.signal('SIGTERM');
    expect(await sim.ended).toEqual(wellEnded);
  });

  it('ends on SIGTERM while it starts', async ({ opened }) => {
    const faults = temporaryFile(opened, 'faults.json', '[{ "action": "slowSnapshots", "forMs": 60000, "delayMs": 60000 }]');
    const { exchangeFlags } = await startSim(opened, '--faults', faults);
    const start = opened(new MdpProcess('start', '--port', '0', '--symbols', 'all', '--workers', '1', ...exchangeFlags));
    const { url } = await engineOf(start);
    await until(async () => ((await (await fetch(`${url}/status`)).json()) as { snapshots: { inFlight: number } }).snapshots.inFlight > 0, {
      what: 'snapshots under way',
    });
    start.signal('SIGTERM');
    expect(await start.ended).toEqual(wellEnded);
  });

  it('says in one line that its port is in use', async ({ opened }) => {
    const { exchangeFlags } = await startSim(opened);
    const server = createServer().listen(0, '127.0.0.1');
    opened(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const start = opened(new MdpProcess('start', '--port', String(port), '--symbols', 'all', '--workers', '1', ...exchangeFlags));
    expect(await start.ended).toEqual({ code: 1, signal: null });
    expect(start.stderr).toBe(`mdp: port 127.0.0.1:${port} is in use; choose another with --port, or any free one with --port 0\n`);
  });

  it('says in one line that the exchange cannot be reached', async ({ opened }) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const start = opened(new MdpProcess('start', '--port', '0', '--workers', '1', '--rest-url', `http://127.0.0.1:${port}`));
    expect(await start.ended).toEqual({ code: 1, signal: null });
    expect(start.stderr).toMatch(/^mdp: EXCHANGE_UNREACHABLE: .*\n$/);
  });

  it('names symbols the exchange does not list', async ({ opened }) => {
    const { exchangeFlags } = await startSim(opened);
    const start = opened(new MdpProcess('start', '--port', '0', '--symbols', 'BTCUSDT,NOSUCHUSDT', '--workers', '1', ...exchangeFlags));
    expect(await start.ended).toEqual({ code: 1, signal: null });
    expect(start.stderr).toMatch(/^mdp: SYMBOL_NOT_LISTED: .*NOSUCHUSDT.*\n$/);
  });

  it('lists everything that is wrong with its configuration', async ({ opened }) => {
    const config = temporaryFile(opened, 'config.json', JSON.stringify({ start: { port: 70_000, prot: 1, interval: '50ms' } }));
    const start = opened(
      new MdpProcess('start', '--config', config, '--workers', '0', '--symbols', 'btc usdt', '--log-level', 'loud', '--no-such-flag', '1'),
    );
    expect(await start.ended).toEqual({ code: 2, signal: null });
    for (const wrong of ['port', 'prot', 'interval', 'workers', 'symbols', 'log-level', 'no-such-flag'])
      expect(start.stderr).toContain(wrong);
    expect(start.stdout).toBe('');
  });
});

describe.concurrent('mdp sim', () => {
  it('ends on SIGTERM with clients connected', async ({ opened }) => {
    const { sim, exchangeFlags } = await startSim(opened);
    const start = opened(
      new MdpProcess('start', '--port', '0', '--symbols', 'all', '--workers', '1', '--snapshot-rate', '50', ...exchangeFlags),
    );
    const { url } = await engineOf(start);
    await start.text(/"all books live"/);
    sim.signal('SIGTERM');
    expect(await sim.ended).toEqual(wellEnded);
    expect(sim.stderr).toBe('');
    // The engine lives on without its exchange, says so, and still ends well.
    await until(async () => ((await (await fetch(`${url}/status`)).json()) as { books: { live: number } }).books.live === 0, {
      what: 'no book live',
    });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    start.signal('SIGTERM');
    expect(await start.ended).toEqual(wellEnded);
  });

  it('says what is wrong with its fault script', async ({ opened }) => {
    const faults = temporaryFile(opened, 'faults.json', '[{ "action": "skip", "pushes": 0 }, { "action": "explode" }]');
    const sim = opened(new MdpProcess('sim', '--port', '0', '--faults', faults));
    expect(await sim.ended).toEqual({ code: 2, signal: null });
    expect(sim.stderr).toMatch(/faults\[0\]: "pushes" .*faults\[1\]: "action" /);
  });
});

describe.concurrent('mdp demo', () => {
  it.for(['SIGTERM', 'SIGINT'] as const)('ends on %s and leaves no process behind', async (signal, { opened }) => {
    const demo = opened(new MdpProcess('demo', '--port', '0', '--symbols', '5', '--snapshot-rate', '50', '--workers', '2'));
    const [, exchange] = await demo.text(/Simulated exchange at (ws:\S+?):? /);
    const [, url] = await demo.text(/Engine at (http:\S+)/);
    await demo.text(/5 of 5 books live/);
    expect([await isListening(exchange!), await isListening(url!)]).toEqual([true, true]);
    demo.signal(signal);
    expect(await demo.ended).toEqual(wellEnded);
    // Standard output and error of the whole family are closed when `ended` resolves; what listened is gone too.
    expect([await isListening(exchange!), await isListening(url!)]).toEqual([false, false]);
  });
});
