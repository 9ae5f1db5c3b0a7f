import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { packageRoot } from '../../src/support/config/index.js';
import { commandsOf, type DocBlock, docBlocks } from '../support/doc-blocks.js';
import { startEngine } from '../support/engine.js';
import { until } from '../support/until.js';

const run = promisify(execFile);
const root = packageRoot();
const blocks = docBlocks();
/** Inside the project, so that examples find it and its packages by name. */
const folder = join(root, 'dist/docs-examples');
const PYTHON = '/usr/bin/python3';

/** Commands that cannot run here, and the file that shows that they do elsewhere. */
const elsewhere: readonly (readonly [RegExp, string])[] = [
  [/^npm ci( && npm test)?$/, '.ci/run'],
  [/^npm test$/, '.ci/run'],
  [/^npm run check$/, '.ci/run'],
  [/^docker (build|run) /, 'test/integration/package.test.ts'],
  [/^docker compose up /, 'compose.yaml'],
  [/^openssl req /, 'test/integration/security.test.ts'],
  [/^curl --cacert /, 'test/integration/security.test.ts'],
  [/^npm start -- --config mdp\.json$/, 'test/integration/security.test.ts'],
];
/** Documents whose blocks a test of their own runs. */
const ownTest: Readonly<Record<string, string>> = { 'docs/grpc.md': 'test/integration/python-grpc.test.ts' };
/** Languages that are data; `test/tidy/docs.test.ts` and the tests of the configuration read them. */
const data = new Set(['json', 'proto', 'yaml']);

/** What an example is given that its text speaks of. */
const preludes: Readonly<Record<string, string>> = {
  'docs/embedding.md reader': `import { createEngine } from 'market-data-processor';
    const engine = await createEngine({ symbols: ['BTCUSDT'] });
    while ((await fetch(engine.url + '/orderbook/BTCUSDT')).status !== 200);
    const handle = engine.bookHandle('BTCUSDT');\n`,
  'docs/embedding.md subscribe': `import { createEngine } from 'market-data-processor';
    const engine = await createEngine({ symbols: ['BTCUSDT'] });\n`,
};
const epilogues: Readonly<Record<string, string>> = {
  'docs/embedding.md reader': 'await engine.close();',
  'docs/embedding.md subscribe': 'console.log(typeof subscription); await engine.close();',
  'docs/push-protocol.md take': `
    const socket = new (await import('ws')).WebSocket('ws://127.0.0.1:8080/ws');
    const book = {};
    socket.on('open', () => socket.send(JSON.stringify({ op: 'subscribe', channel: 'book', symbols: ['BTCUSDT'], depth: 5, interval: 0 })));
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.op) return;
      take(book, message);
      console.log(message.type, book.bids.size, book.asks.size);
      if (message.type === 'delta') process.exit();
    });`,
};
/** Names what is added to an example: its document and a word of its text. */
function addition(table: Readonly<Record<string, string>>, { path, text }: DocBlock): string {
  for (const [key, value] of Object.entries(table)) {
    const [document, word] = key.split(' ') as [string, string];
    if (document === path && text.includes(word)) return value;
  }
  return '';
}

let sim: Simulator;
let engine: Engine;
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  sim = await startSimulator({ symbols: 5, rate: 8, seed: 51 });
  engine = await startEngine(sim, { symbols: { kind: 'list', symbols: sim.symbols.filter((symbol) => symbol !== 'SOLUSDT') }, workers: 1 });
  for (const symbol of ['BTCUSDT', 'ETHUSDT'])
    await until(async () => (await fetch(`${engine.url}/orderbook/${symbol}`)).ok, { what: symbol });
});
afterAll(async () => {
  await engine?.close();
  await sim?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Examples name the usual ports and the real exchange; here are others. */
function rewrite(text: string): string {
  return text
    .replaceAll('127.0.0.1:8080', new URL(engine.url).host)
    .replaceAll('127.0.0.1:8090', new URL(sim.restUrl).host)
    .replaceAll('createEngine({', `createEngine({ wsUrl: '${sim.wsUrl}', restUrl: '${sim.restUrl}',`);
}

/** Runs a command until it has said `pattern`, or has ended without an error; gives what it said. */
async function say(command: string, argv: readonly string[], pattern: RegExp, cwd = root): Promise<string> {
  const child = spawn(command, argv, { cwd, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let code: number | null | undefined;
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.once('close', (value) => (code = value));
  try {
    await until(() => pattern.test(stdout) || code !== undefined, { what: String(pattern), timeoutMs: 25_000 });
  } catch (error) {
    throw new Error(`${stdout}${stderr}`, { cause: error });
  } finally {
    child.kill('SIGKILL');
    await until(() => code !== undefined, { what: 'the end' });
  }
  if (!pattern.test(stdout)) throw new Error(`never said ${pattern}: ${stdout}${stderr}`);
  return stdout;
}

const nameOf = ({ path, line }: DocBlock): string => `${path}:${line}`;
const isHere = ({ path }: DocBlock): boolean => !(path in ownTest);
const commands = blocks
  .filter((block) => block.language === 'sh' && isHere(block))
  .flatMap((block) => commandsOf(block).map((command) => [nameOf(block), command] as const));
const runnable = commands.filter(([, command]) => !elsewhere.some(([pattern]) => pattern.test(command)));

describe('commands', () => {
  it.each(runnable)('%s %s', async (_, command) => {
    const script =
      /^(?:npm ci && )?npm (?:run )?(start|sim|demo)(?: --)?(.*)$/.exec(command) ?? /^npx mdp (start|sim|demo)(.*)$/.exec(command);
    if (script !== null) {
      const [, name, flags] = script as unknown as [string, string, string];
      const ports = name === 'sim' ? ['--port', '0'] : ['--port', '0', '--grpc-port', '0'];
      const exchange = name === 'start' ? ['--ws-url', sim.wsUrl, '--rest-url', sim.restUrl] : [];
      // A flag given twice counts as the last one.
      const given = flags.trim().replace(/--(ws|rest)-url \S+/g, '');
      const argv = [join(root, 'dist/src/main.js'), name, ...given.split(/\s+/).filter((word) => word !== ''), ...ports, ...exchange];
      await say(process.execPath, argv, name === 'demo' ? /\d+ books live/ : /"(?:wsUrl|url)":"/);
      return;
    }
    if (command.startsWith('curl ')) {
      const { stdout: said } = await run('/bin/sh', ['-c', rewrite(command).replace('curl ', 'curl -sS --fail-with-body --max-time 10 ')]);
      expect(said === '' || typeof JSON.parse(said) === 'object').toBe(true);
      return;
    }
    await say('/bin/sh', ['-c', `exec ${rewrite(command)}`], /"ch":"|.\n/);
  });

  it('that cannot run here are shown to work elsewhere', () => {
    for (const [pattern, path] of elsewhere) {
      expect([String(pattern), commands.some(([, command]) => pattern.test(command))]).toEqual([String(pattern), true]);
      expect(readFileSync(join(root, path), 'utf8').length).toBeGreaterThan(0);
    }
    for (const [document, test] of Object.entries(ownTest)) expect(readFileSync(join(root, test), 'utf8')).toContain(document);
    const ci = readFileSync(join(root, '.ci/run'), 'utf8');
    for (const command of ['npm ci', 'npm test', 'npm run check']) expect(ci).toContain(command);
  });
});

const programs = (language: string): readonly (readonly [string, DocBlock])[] =>
  blocks.filter((block) => block.language === language && isHere(block)).map((block) => [nameOf(block), block]);

describe('programs', () => {
  it.each(programs('js'))('JavaScript of %s', async (name, block) => {
    const file = join(folder, `${name.replace(/\W+/g, '-')}.mjs`);
    writeFileSync(file, rewrite(addition(preludes, block) + block.text + addition(epilogues, block)));
    await say(
      process.execPath,
      [file],
      block.text.includes('console.log') || addition(epilogues, block).includes('console.log') ? /\S/ : /^/,
    );
  });

  it('TypeScript: all of it compiles', () => {
    for (const [name, block] of programs('ts')) writeFileSync(join(folder, `${name.replace(/\W+/g, '-')}.mts`), rewrite(block.text));
    const files = programs('ts').map(([name]) => `${name.replace(/\W+/g, '-')}.mts`);
    expect(files.length).toBeGreaterThan(1);
    const options = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', '--types', 'node', '--ignoreConfig'];
    execFileSync(join(root, 'node_modules/.bin/tsc'), [...options, ...files], { cwd: folder, encoding: 'utf8' });
  });

  it.each(programs('ts'))('TypeScript of %s', async (name, { text }) => {
    // A client that follows a book says a line for each message, the first of them a snapshot.
    const expected = text.includes("'delta'") ? /^snapshot .*\n(?:.*\n)*delta .*\n/ : /(?:\d+ \d+ [\d.]+ [\d.]+\n){3}/;
    await say(process.execPath, [join(folder, `${name.replace(/\W+/g, '-')}.mjs`)], expected);
  });

  const python = programs('python').filter(([, { text }]) => canRun(text));
  it.each(python)('Python of %s', async (name, { text }) => {
    const file = join(folder, `${name.replace(/\W+/g, '-')}.py`);
    writeFileSync(file, rewrite(text));
    await say(
      PYTHON,
      [file],
      text.includes('websockets') ? /^snapshot .*\n(?:.*\n)*delta .*\n/ : /^live \d+ \d+ spread [\d.]+\nSYMBOL_NOT_TRACKED: .*BTCUSDT/,
    );
  });
});

it('commands are marked as such, so that they are run', () => {
  const unmarked = docBlocks('').filter(({ text }) => /^(?:npm|npx|curl|docker|grpcurl|node -e|node dist\S*|python3) /m.test(text));
  expect(unmarked.map(nameOf)).toEqual([]);
});

it('no block is in a language nobody runs', () => {
  const known = new Set(['sh', 'js', 'ts', 'python', ...data]);
  expect(blocks.filter(({ language }) => !known.has(language)).map(nameOf)).toEqual([]);
  expect(runnable.length).toBeGreaterThan(12);
  for (const language of ['js', 'ts', 'python']) expect(programs(language).length).toBeGreaterThan(1);
});

it('the calls shown as the gRPC contract are in it', () => {
  const contract = readFileSync(join(root, 'proto/market_data.proto'), 'utf8');
  const shown = blocks.filter(({ language }) => language === 'proto').flatMap(({ text }) => text.trim().split('\n'));
  expect(shown.filter((line) => !contract.includes(line))).toEqual([]);
});

/** Whether the packages an example imports are installed; says so when they are not. */
function canRun(text: string): boolean {
  const modules = ['asyncio', ...(text.includes('import websockets') ? ['websockets'] : [])];
  try {
    execFileSync(PYTHON, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' });
    return true;
  } catch {
    process.stdout.write(`an example in Python is not run: ${PYTHON} has no ${modules.join(' or ')} (Debian: python3-websockets)\n`);
    return false;
  }
}
