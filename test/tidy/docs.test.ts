import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as bookLayout from '../../src/book/book-layout.js';
import * as candleLayout from '../../src/candle/candle-layout.js';
import * as ladderLayout from '../../src/book/ladder-layout.js';
import { buildHttp } from '../../src/gateway/http.js';
import { defaultGatewayLimits } from '../../src/gateway/limits.js';
import { depths, intervalsMs, ops } from '../../src/gateway/ws/protocol.js';
import * as arena from '../../src/memory/arena.js';
import * as logHistogram from '../../src/memory/log-histogram.js';
import * as shardMeter from '../../src/memory/shard-meter.js';
import * as ringLayout from '../../src/memory/spsc-ring-layout.js';
import { bookStateNames, stateReasonNames } from '../../src/model/book-state.js';
import { channelNames } from '../../src/model/publication.js';
import { PublicationHub } from '../../src/publish/publication-hub.js';
import { defaultSubscriberLimits } from '../../src/publish/subscriber.js';
import * as records from '../../src/shard/records.js';
import { PENDING_SHARD_BYTES_MAX } from '../../src/shard/pending-budget.js';
import { PENDING_BYTES_MAX, PENDING_FRAMES_MAX } from '../../src/shard/pending-updates.js';
import * as task from '../../src/shard/task.js';
import * as tickerLayout from '../../src/ticker/ticker-layout.js';
import { parseFaults } from '../../src/simulator/faults.js';
import { commandNames, defaultsOf, packageRoot } from '../../src/support/config/index.js';
import { CONFIG_FLAG, keysOf, knownVariables } from '../../src/support/config/names.js';
import { type CodedError, ErrorCode } from '../../src/support/errors.js';
import * as tapeLayout from '../../src/tape/tape-layout.js';
import { FakeMarketData, FakePort } from '../support/fake-market-data.js';
import { projectFiles } from './files.js';

const root = packageRoot();
const documents = projectFiles().filter(({ path }) => path.endsWith('.md'));
const textOf = (path: string): string => documents.find((file) => file.path === path)!.text;
const matches = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].map((match) => match[1]!);

/** Every place of every document a pattern finds, as `path: first group`. */
function everywhere(pattern: RegExp): readonly { readonly path: string; readonly found: string }[] {
  return documents.flatMap(({ path, text }) => matches(text, pattern).map((found) => ({ path, found })));
}

/** A heading's anchor as GitHub makes it. */
function anchorOf(heading: string): string {
  const plain = heading.replace(/`/g, '').toLowerCase();
  return plain.replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
}

function anchorsOf(text: string): readonly string[] {
  return matches(text.replace(/^```[\s\S]*?^```/gm, ''), /^#{1,6} (.+)$/gm).map(anchorOf);
}

describe('links', () => {
  const links = everywhere(/\]\(([^)\s]+)\)/g).filter(({ found }) => !/^[a-z]+:/.test(found));

  it('lead to files that exist', () => {
    expect(links.length).toBeGreaterThan(100);
    const broken = links.filter(({ path, found }) => {
      const [target] = found.split('#');
      return target !== '' && !existsSync(join(root, dirname(path), target!));
    });
    expect(broken).toEqual([]);
  });

  it('lead to headings that exist', () => {
    const broken = links.filter(({ path, found }) => {
      const [target, anchor] = found.split('#');
      if (anchor === undefined) return false;
      const file = target === '' ? path : normalize(join(dirname(path), target!));
      return !anchorsOf(readFileSync(join(root, file), 'utf8')).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe('commands', () => {
  const scripts = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> })
    .scripts;
  const flagsOf = (command: (typeof commandNames)[number]): readonly string[] => [
    ...keysOf(command).map(({ flag }) => flag),
    CONFIG_FLAG,
    'help',
  ];

  it('npm scripts exist', () => {
    const named = everywhere(/\bnpm (?:run )?((?:(?<=run )[\w:]+)|start|test)\b/g);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ found }) => !Object.hasOwn(scripts, found))).toEqual([]);
  });

  it('commands take the flags they are shown with', () => {
    // `mdp sim --x`, `npm run sim -- --x`, `npm start -- --x`, and rows of the table of commands.
    const lines = documents.flatMap(({ path, text }) => text.split('\n').map((line) => ({ path, line })));
    let seen = 0;
    const wrong = lines.flatMap(({ path, line }) => {
      const shown = /(?:mdp |npm (?:run )?|main\.js )(start|sim|demo)\b(.*)/.exec(line);
      const command = commandNames.find((name) => name === shown?.[1]);
      if (command === undefined) return [];
      const flags = matches(shown![2]!, /(?<=[\s`])--([a-z][\w-]*)/g);
      seen += flags.length;
      return flags.filter((flag) => !flagsOf(command).includes(flag)).map((flag) => `${path}: ${command} --${flag}`);
    });
    expect(seen).toBeGreaterThan(30);
    expect(wrong).toEqual([]);
  });

  it('flags named by themselves belong to some command', () => {
    const others = [
      'write',
      'check',
      'round-ms',
      'rm',
      'ignore-scripts',
      'import',
      'cpu-prof',
      'trace-gc',
      'perf-basic-prof',
      'expose-gc',
      'profile',
    ];
    const known = new Set([...commandNames.flatMap(flagsOf), ...others]);
    expect(everywhere(/`--([a-z][\w-]*)/g).filter(({ found }) => !known.has(found))).toEqual([]);
  });

  it('the table of the README shows every flag of every command', () => {
    for (const command of commandNames) {
      const row = textOf('README.md')
        .split('\n')
        .find((line) => line.startsWith(`| \`mdp ${command}\``));
      const expected = keysOf(command)
        .map(({ flag }) => flag)
        .filter((flag) => flag !== 'log-level');
      expect(matches(row ?? '', /`--([\w-]+)`/g).toSorted()).toEqual(expected.toSorted());
    }
  });

  it('environment variables exist', () => {
    const named = everywhere(/\b(MDP_[A-Z_]+)\b/g);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ found }) => !knownVariables().includes(found))).toEqual([]);
  });
});

describe('REST', () => {
  let app: FastifyInstance;
  beforeAll(async () => {
    app = await buildHttp({ market: new FakeMarketData(), hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }) });
    await app.ready();
  });
  afterAll(() => app.close());

  const isOurs = (path: string): boolean => !path.startsWith('/api/') && !path.startsWith('/sim/') && path !== '/ws';

  it('routes that are described exist', () => {
    const described = everywhere(/`((?:GET|POST|PUT|DELETE) \/[^`?\s]*)/g).map(({ path, found }) => ({
      path,
      found: found.split(' ') as [string, string],
    }));
    const ours = described.filter(({ found: [, url] }) => isOurs(url));
    expect(ours.length).toBeGreaterThan(20);
    // A prefix of routes (`GET /orderbook`) is no route, and no document should show it as one.
    expect(ours.filter(({ found: [method, url] }) => !app.hasRoute({ method, url }))).toEqual([]);
  });

  it('routes that exist are described, in the README and in the guide', () => {
    const { paths = {} } = app.swagger() as { readonly paths?: Readonly<Record<string, object>> };
    const routes = Object.entries(paths).flatMap(([url, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${url.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    expect(routes.length).toBeGreaterThan(8);
    for (const path of ['README.md', 'docs/rest.md']) {
      const missing = routes.filter((route) => route !== 'GET /ws' && !textOf(path).includes(`\`${route}\``));
      expect(missing.map((route) => `${path}: ${route}`)).toEqual([]);
    }
  });

  it('addresses in examples are answered by a route', async () => {
    const examples = everywhere(/curl((?: -X [A-Z]+)?[^\n]*? "?http:\/\/127\.0\.0\.1:8080\/[^\s"']*)/g);
    expect(examples.length).toBeGreaterThan(0);
    for (const { path, found } of examples) {
      const [, method = 'GET', url] = /^(?: -X ([A-Z]+))?.*?:8080(.*)$/.exec(found)!;
      const { code } = (await app.inject({ method: method as 'GET', url: url! })).json<{ code?: string }>();
      expect([path, found, code]).not.toEqual([path, found, 'ROUTE_NOT_FOUND']);
      expect([path, found, code]).not.toEqual([path, found, 'BAD_PARAMETER']);
    }
  });
});

describe('words of the protocols', () => {
  const guide = textOf('docs/push-protocol.md');

  it('states and reasons are explained', () => {
    const words = [...bookStateNames, ...stateReasonNames];
    expect(words.filter((word) => !guide.includes(`\`${word}\``))).toEqual([]);
    expect(bookStateNames.filter((state) => !textOf('README.md').includes(`\`${state}\``))).toEqual([]);
  });

  it('ops, channels, depths and intervals are all there', () => {
    const shown = (word: string | number): boolean => guide.includes(`\`${word}\``) || guide.includes(`\`"${word}"\``);
    expect([...ops, ...channelNames, ...depths, ...intervalsMs].filter((word) => !shown(word))).toEqual([]);
  });

  it('codes in capitals are codes of ours', () => {
    const notCodes = ['GET', 'POST', 'PUT', 'DELETE', 'SLOW_CONSUMER', 'RESCALE', 'PING', 'PONG', 'BTCUSDT'];
    const recordNames = [...Object.keys(records.Inbound), ...Object.keys(records.Outbound)];
    const constants = [
      bookLayout,
      candleLayout,
      ladderLayout,
      arena,
      ringLayout,
      task,
      shardMeter,
      logHistogram,
      tapeLayout,
      tickerLayout,
    ].flatMap((module) => Object.keys(module));
    const known = new Set([...Object.keys(ErrorCode), ...recordNames, ...constants, ...notCodes, ...knownVariables()]);
    const named = everywhere(/`(?:\d{3} )?([A-Z][A-Z0-9_]{3,})`/g);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ found }) => !known.has(found))).toEqual([]);
  });
});

describe('the fault script', () => {
  const guide = textOf('docs/simulator.md');

  it('every example is taken', () => {
    const examples = [...matches(guide, /^```json\n([\s\S]*?)^```/gm), ...matches(guide, /-d '([^']+)'/g)];
    expect(examples.length).toBeGreaterThan(4);
    for (const example of examples) expect(() => parseFaults(JSON.parse(example))).not.toThrow();
  });

  it('every action is described', () => {
    let told = '';
    try {
      parseFaults({ action: '' });
    } catch (error) {
      told = (error as CodedError).message;
    }
    const actions = told.split('must be one of ')[1]!.split(', ');
    expect(actions.length).toBeGreaterThan(10);
    expect(actions.filter((action) => !guide.includes(`| \`${action}\` |`))).toEqual([]);
  });
});

describe('figures', () => {
  it('offsets and numbers in the architecture document are those of the code', () => {
    const modules: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      '../src/memory/spsc-ring-layout.ts': ringLayout,
      '../src/shard/records.ts': records,
      '../src/shard/task.ts': task,
      '../src/memory/arena.ts': arena,
      '../src/memory/shard-meter.ts': shardMeter,
      '../src/memory/log-histogram.ts': logHistogram,
      '../src/tape/tape-layout.ts': tapeLayout,
      '../src/book/book-layout.ts': bookLayout,
      '../src/book/ladder-layout.ts': ladderLayout,
      '../src/candle/candle-layout.ts': candleLayout,
      '../src/ticker/ticker-layout.ts': tickerLayout,
    };
    let module: Readonly<Record<string, unknown>> = {};
    let inTable = false;
    const checked = new Set<string>();
    for (const line of textOf('docs/ARCHITECTURE.md').split('\n')) {
      if (!line.startsWith('|')) {
        inTable = false;
        // The file linked last is the one the next table is about.
        for (const link of matches(line, /\]\((\.\.\/src\/[^)#]+)\)/g)) module = modules[link] ?? module;
      } else if (line.startsWith('| constant |')) inTable = true;
      else if (inTable && !line.startsWith('| ---')) {
        const [, name, value] = line.split('|').map((cell) => cell.trim().replaceAll('`', ''));
        const [first, second] = name!.split('.');
        const found = second === undefined ? module[first!] : (module[first!] as Readonly<Record<string, unknown>>)[second];
        expect([name, found]).toEqual([name, Number(value)]);
        checked.add(name!);
      }
    }
    const must = [
      ...Object.keys(records.Inbound).map((name) => `Inbound.${name}`),
      ...Object.keys(records.Outbound).map((name) => `Outbound.${name}`),
    ];
    const numbers = Object.entries({ ...bookLayout, ...ringLayout, ...shardMeter, ...tapeLayout, ...tickerLayout }).filter(
      ([, value]) => typeof value === 'number',
    );
    expect([...must, ...numbers.map(([name]) => name)].filter((name) => !checked.has(name))).toEqual([]);
  });

  it('limits in the README are those of the code', () => {
    const readme = textOf('README.md');
    const start = defaultsOf('start');
    const buffers = task.createShardBuffers();
    const ringMiB = (buffer: SharedArrayBuffer): number => (buffer.byteLength - ringLayout.RECORDS_BYTE) / 2 ** 20;
    const figures: Readonly<Record<string, readonly string[]>> = {
      'snapshot requests': [`${start.snapshotRate} a second`],
      'pushes kept while a snapshot is on the way': [
        count(PENDING_FRAMES_MAX),
        `${PENDING_BYTES_MAX / 2 ** 20} MiB a symbol`,
        `${PENDING_SHARD_BYTES_MAX / 2 ** 20} MiB a worker`,
      ],
      'levels kept': [count(ladderLayout.LEVELS_MAX)],
      'books of a worker': [count(task.BOOKS_PER_SHARD_MAX), `${buffers.books.byteLength / 2 ** 30} GiB`],
      'rings between main thread and worker': [`${ringMiB(buffers.inbound)} MiB in`, `${ringMiB(buffers.outbound)} MiB out`],
      'silence before a book may be called stale': [`${start.staleAfterMs / 1000} s`],
      'WebSocket clients, subscriptions of one': [
        `${count(defaultGatewayLimits.clients)}, ${count(defaultGatewayLimits.subscriptionsPerClient)}`,
        `${count(defaultGatewayLimits.subscriptionsPerSecond)} new ones a second`,
      ],
      'messages of a client': [
        `${defaultGatewayLimits.messagesPerSecond} a second`,
        `${defaultGatewayLimits.messageBytes / 1024} KiB`,
        `${count(defaultGatewayLimits.symbolsPerMessage)} symbols`,
      ],
      'bytes waiting for a client': [
        `${defaultSubscriberLimits.softLimitBytes / 1024} KiB`,
        `${defaultSubscriberLimits.hardLimitMs / 1000} s`,
        `${defaultSubscriberLimits.hardLimitBytes / 2 ** 20} MiB`,
      ],
      'quiet clients': [`${defaultGatewayLimits.pingIntervalMs / 1000} s`, `${defaultGatewayLimits.deadAfterMs / 1000} s`],
    };
    for (const [label, texts] of Object.entries(figures)) {
      const row = readme.split('\n').find((line) => line.startsWith(`| ${label} |`)) ?? '';
      expect([label, texts.filter((text) => !row.includes(text))]).toEqual([label, []]);
    }
  });
});

/** `65,536`. */
function count(value: number): string {
  return value.toLocaleString('en-US');
}
