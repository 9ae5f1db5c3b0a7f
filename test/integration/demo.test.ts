import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/support/config/index.js';
import { anyGrpcPort } from '../support/mdp-process.js';
import { until } from '../support/until.js';

const main = join(packageRoot(), 'dist/src/main.js');
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** `mdp` as a process of its own, and what it has written so far. */
function mdp(...argv: readonly string[]) {
  const child = spawn(process.execPath, [main, ...argv], {
    env: { PATH: process.env['PATH'], ...anyGrpcPort },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]: readonly unknown[]) => code);
  return { child, output, ended };
}

/** Waits for text of a process, and shows what it wrote instead when it does not come. */
async function textOf({ output, child }: ReturnType<typeof mdp>, pattern: RegExp): Promise<RegExpExecArray> {
  const found = await until(() => pattern.exec(output.stdout) ?? (child.exitCode === null ? null : 'ended'), {
    what: `${pattern}\n${output.stdout}${output.stderr}`,
    timeoutMs: 20_000,
  });
  if (found === 'ended') throw new Error(`ended before ${pattern}:\n${output.stdout}${output.stderr}`);
  return found;
}

const demoFlags = ['demo', '--port', '0', '--symbols', '5', '--rate', '10', '--snapshot-rate', '50', '--workers', '1'];

describe('mdp demo', () => {
  it('shows live books of the simulated exchange, and what it says to try works', async () => {
    const demo = mdp(...demoFlags);
    await textOf(demo, /5 of 5 books live, \d+ updates\/s\n\n(symbol .*)\n(.* live .*\n){5}/);
    expect(demo.output.stdout).toContain('Simulated exchange');

    const [, url] = await textOf(demo, /curl "(http:.*)"/);
    const book = (await (await fetch(url!)).json()) as { bids: unknown[]; asks: unknown[]; state: string };
    expect(book).toMatchObject({ state: 'live' });
    expect([book.bids.length, book.asks.length]).toEqual([5, 5]);

    // The line as printed, in a shell, in the folder it says.
    const [, line] = await textOf(demo, /^ +(node -e .*)$/m);
    const client = spawn('sh', ['-c', `exec ${line!}`], { cwd: packageRoot(), stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(client);
    let received = '';
    client.stdout.on('data', (chunk: Buffer) => (received += chunk.toString()));
    await until(() => received.includes('"ch":"bbo"'), { what: 'a message of the printed client' });

    demo.child.kill('SIGTERM');
    expect(await demo.ended).toBe(0);
    expect(demo.output.stderr).toBe('');
  });

  it('takes the simulated exchange along when it is killed', async () => {
    const demo = mdp(...demoFlags);
    const [, simulatorUrl] = await textOf(demo, /Simulated exchange at ws:\/\/(\S+)\/ws/);
    await fetch(`http://${simulatorUrl!}/api/v3/ping`);
    demo.child.kill('SIGKILL');
    await demo.ended;
    await until(
      () =>
        fetch(`http://${simulatorUrl!}/api/v3/ping`).then(
          () => false,
          () => true,
        ),
      { what: 'the simulated exchange to be gone' },
    );
  });
});

describe('mdp start', () => {
  it('logs what happens, in JSON, and ends on SIGINT', async () => {
    const sim = mdp('sim', '--port', '0', '--symbols', '3', '--rate', '10');
    const [, wsUrl, restUrl] = await textOf(sim, /"wsUrl":"(.*?)","restUrl":"(.*?)"/);
    const start = mdp(
      'start',
      '--port',
      '0',
      '--symbols',
      'all',
      '--workers',
      '1',
      '--ws-url',
      wsUrl!,
      '--rest-url',
      restUrl!,
      '--snapshot-rate',
      '50',
    );
    await textOf(start, /"books":3,.*"all books live"/);
    start.child.kill('SIGINT');
    expect(await start.ended).toBe(0);
    for (const line of start.output.stdout.trimEnd().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ time: expect.any(String) as string });
    sim.child.kill('SIGTERM');
    expect(await sim.ended).toBe(0);
  });

  it('says in one line that the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { status, stderr } = spawnSync(process.execPath, [main, 'sim', '--port', String(port)], {
      encoding: 'utf8',
      env: {},
      timeout: 20_000,
    });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `mdp: port 127.0.0.1:${port} is in use; choose another with --port, or any free one with --port 0\n`,
    });
    server.close();
  });
});
