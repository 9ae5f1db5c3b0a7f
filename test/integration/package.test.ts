import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.js';
import { packageRoot, packageVersion } from '../../src/support/config/index.js';
import { buildImage } from '../support/dockerfile.js';
import { until } from '../support/until.js';

const run = promisify(execFile);
const folders: string[] = [];
/** npm asks the registry only for what it does not have already. */
const env = {
  PATH: process.env['PATH']!,
  HOME: process.env['HOME']!,
  npm_config_prefer_offline: 'true',
  npm_config_update_notifier: 'false',
};

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mdp-package-'));
  folders.push(folder);
  return folder;
}
// Many thousands of files: `rm` is done with them long before Node would be.
afterAll(() => run('rm', ['-rf', ...folders]), 120_000);

/** A command with everything it starts, and what it says. */
function start(command: string, argv: readonly string[], cwd: string, more: Readonly<Record<string, string>> = {}) {
  const child = spawn(command, argv, { cwd, env: { ...env, ...more }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said.text += chunk.toString()));
  const ended = once(child, 'close') as Promise<[code: number | null, signal: string | null]>;
  return {
    said,
    ended,
    /** The whole group, since npx starts others. */
    signal: (name: NodeJS.Signals) => process.kill(-child.pid!, name),
    textOf: (pattern: RegExp) =>
      until(() => pattern.exec(said.text) ?? (child.exitCode !== null && 'ended'), { what: `${pattern}`, timeoutMs: 25_000 })
        .then((found) => (found === 'ended' ? Promise.reject(new Error('ended')) : found))
        .catch((error: unknown) => Promise.reject(new Error(said.text, { cause: error }))),
  };
}

describe('the packed package', () => {
  it('runs the demo and embeds the engine in an empty folder', { timeout: 180_000 }, async () => {
    const folder = emptyFolder();
    const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: packageRoot(), env });
    const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    const paths = files.map(({ path }) => path);
    for (const needed of [
      'dist/src/main.js',
      'dist/src/index.d.ts',
      'dist/workers/shard.worker.js',
      'config/default.json',
      'proto/market_data.proto',
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
    ]) {
      expect(paths).toContain(needed);
    }
    expect(paths.filter((path) => /^(test|bench|dist\/bench|\.ci)|tsbuildinfo|\.test\./.test(path))).toEqual([]);

    writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
    await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', `./${filename}`], { cwd: folder, env });

    // What the manifest promises is there.
    const installed = join(folder, 'node_modules/market-data-processor');
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
      readonly bin: { readonly mdp: string };
      readonly version: string;
    };
    const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)));
    expect([...targets, manifest.bin.mdp].filter((path) => !existsSync(join(installed, path)))).toEqual([]);
    expect(readFileSync(join(installed, manifest.bin.mdp), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(manifest.version).toBe(packageVersion());

    const demo = start(
      'npx',
      ['--no-install', 'mdp', 'demo', '--port', '0', '--grpc-port', '0', '--symbols', '3', '--snapshot-rate', '50'],
      folder,
    );
    try {
      await demo.textOf(/3 of 3 books live/);
      const [, url] = await demo.textOf(/curl "(http:[^"]+)"/);
      expect(await (await fetch(url!)).json()).toMatchObject({ state: 'live' });
    } finally {
      demo.signal('SIGTERM');
    }
    await demo.ended;

    writeFileSync(
      join(folder, 'use.ts'),
      `import { createEngine, openBook, startSimulator, createBookCopy, BookState } from 'market-data-processor';
       import type { BookHandle, Engine } from 'market-data-processor';
       const exchange = await startSimulator({ symbols: ['BTCUSDT'] });
       const engine: Engine = await createEngine({ symbols: ['BTCUSDT'], wsUrl: exchange.wsUrl, restUrl: exchange.restUrl });
       const handle: BookHandle = engine.bookHandle('BTCUSDT');
       const book = openBook(handle);
       const copy = createBookCopy(1);
       while (book.read(1, copy) !== 'ok' || copy.state !== BookState.LIVE) await new Promise((resolve) => setImmediate(resolve));
       console.log('live at seq', copy.seq);
       await engine.close();
       await exchange.close();`,
    );
    // As a strict program would be compiled; declarations of other packages are theirs.
    const tsc = join(packageRoot(), 'node_modules/.bin/tsc');
    const types = join(packageRoot(), 'node_modules/@types');
    await run(
      tsc,
      ['--strict', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', '--types', 'node', '--typeRoots', types, 'use.ts'],
      {
        cwd: folder,
        env,
      },
    );
    expect((await run(process.execPath, ['use.js'], { cwd: folder, env, timeout: 25_000 })).stdout).toMatch(/^live at seq \d+\n$/);
  });
});

describe('the Dockerfile', () => {
  it('makes, from nothing but what it copies, an engine that gets ready', { timeout: 240_000 }, async () => {
    const image = buildImage(env, (folder) => folders.push(folder));
    expect(image.base).toMatch(/^node:\d+\.\d+\.\d+-slim@sha256:[0-9a-f]{64}$/);
    expect(image.user).toBe('node');
    const app = join(image.root, image.workdir);
    expect(readdirSync(join(app, 'node_modules'))).not.toContain('vitest');

    const sim = await startSimulator({ symbols: 3 });
    const home = join(image.root, 'home');
    mkdirSync(home);
    // As it comes it is open to others, so it wants to be told who may ask.
    const untold = start(image.command[0]!, image.command.slice(1), app, { ...image.env, HOME: home });
    expect(await untold.ended).toEqual([2, null]);
    expect(untold.said.text).toContain('PUBLIC_WITHOUT_KEYS: 0.0.0.0');
    const own = { ...image.env, MDP_HOST: '127.0.0.1', MDP_PORT: '0', MDP_GRPC_PORT: '0', HOME: home };
    const container = start(image.command[0]!, image.command.slice(1), app, {
      ...own,
      MDP_SYMBOLS: 'all',
      MDP_WS_URL: sim.wsUrl,
      MDP_REST_URL: sim.restUrl,
    });
    try {
      const [, url] = await container.textOf(/"url":"(http:[^"]+)"/);
      const [command, ...argv] = image.healthCommand as [string, ...string[]];
      const health = () =>
        run(command, argv, { cwd: app, env: { ...env, MDP_PORT: new URL(url!).port } }).then(
          () => true,
          () => false,
        );
      await until(health, { what: 'a healthy container', timeoutMs: 25_000 });
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    } finally {
      container.signal('SIGTERM');
      await sim.close();
    }
    expect(await container.ended).toEqual([0, null]);
  });
});
