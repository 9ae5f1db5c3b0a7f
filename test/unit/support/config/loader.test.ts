import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CodedError, ErrorCode } from '../../../../src/support/errors.js';
import { configReference, helpText } from '../../../../src/support/config/help.js';
import { DEFAULTS_FILE, defaultsOf, loadDemoConfig, loadSimConfig, loadStartConfig } from '../../../../src/support/config/loader.js';
import { keysOf } from '../../../../src/support/config/names.js';
import { packageRoot, packageVersion } from '../../../../src/support/config/package.js';
import { commandNames } from '../../../../src/support/config/schema.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mdp-config-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function file(content: unknown): string {
  const path = join(folder, 'config.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    expect(error).toBeInstanceOf(CodedError);
    const { code, details } = error as CodedError;
    expect(code).toBe(ErrorCode.CONFIG_INVALID);
    return details['problems'] as readonly string[];
  }
  throw new Error('the configuration was taken');
}

describe('loadStartConfig', () => {
  it('takes the defaults when nothing is set', () => {
    expect(loadStartConfig([], {})).toEqual({
      symbols: { kind: 'top', count: 20 },
      workers: Math.max(1, availableParallelism() - 1),
      host: '127.0.0.1',
      port: 8080,
      grpcPort: 50051,
      insecurePublic: false,
      apiKeys: [],
      tlsCert: null,
      tlsKey: null,
      trustProxy: [],
      origins: 'any',
      connections: 20_000,
      connectionsPerAddress: 'auto',
      requestsPerSecond: 'auto',
      wsUrl: 'wss://wbs-api.mexc.com/ws',
      restUrl: 'https://api.mexc.com',
      interval: '100ms',
      snapshotRate: 8,
      staleAfterMs: 30_000,
      rotateAfterMs: 84_600_000,
      lines: 1,
      tape: 1000,
      preallocate: false,
      audit: 2000,
      spinUs: 0,
      logLevel: 'info',
    });
  });

  it('lets flags win over variables, variables over the file, the file over the defaults', () => {
    const path = file({ start: { host: 'file', port: 1, workers: 2, snapshotRate: 3 }, sim: { seed: 9 } });
    const config = loadStartConfig(['--port', '3', '--config', path], { MDP_PORT: '2', MDP_WORKERS: '5', MDP_CONFIG: 'not used' });
    expect(config).toMatchObject({ host: 'file', port: 3, workers: 5, snapshotRate: 3, interval: '100ms' });
  });

  it('takes microseconds to spin from every layer', () => {
    expect(loadStartConfig(['--spin-us', '2000'], { MDP_SPIN_US: '50' }).spinUs).toBe(2000);
    expect(loadStartConfig([], { MDP_SPIN_US: '50', MDP_CONFIG: file({ start: { spinUs: 7 } }) }).spinUs).toBe(50);
    expect(loadStartConfig([], { MDP_CONFIG: file({ start: { spinUs: 7 } }) }).spinUs).toBe(7);
  });

  it('takes the file that MDP_CONFIG names', () => {
    expect(loadStartConfig([], { MDP_CONFIG: file({ start: { port: 7 } }) }).port).toBe(7);
  });

  it('counts an empty variable as not set', () => {
    expect(loadStartConfig([], { MDP_PORT: '', MDP_CONFIG: '', MDP_NOBODY: '' }).port).toBe(8080);
  });

  it('takes the variables of other commands for known', () => {
    expect(loadStartConfig([], { MDP_SIM_SEED: 'not read here', MDP_DEMO_RATE: '1', HOME: '/' }).port).toBe(8080);
  });

  it('reads keys, origins and proxies', () => {
    const [a, b] = ['ab'.repeat(32), 'CD'.repeat(32)];
    const flags = ['--api-keys', `bot:read:${a}, ops-2:admin:${b}`, '--origins', 'https://desk.example,http://127.0.0.1:3000'];
    expect(loadStartConfig([...flags, '--trust-proxy', 'loopback,10.0.0.0/8', '--connections-per-address=off'], {})).toMatchObject({
      apiKeys: [
        { name: 'bot', right: 'read', sha256: a },
        { name: 'ops-2', right: 'admin', sha256: b.toLowerCase() },
      ],
      origins: ['https://desk.example', 'http://127.0.0.1:3000'],
      trustProxy: ['loopback', '10.0.0.0/8'],
      connectionsPerAddress: 'off',
    });
  });

  it.each([
    ['--origins', 'desk.example'],
    ['--origins', 'https://desk.example/path'],
    ['--trust-proxy', 'true'],
    ['--trust-proxy', '10.0.0.0/99'],
    ['--trust-proxy', ''],
    ['--connections', '0'],
    ['--requests-per-second', 'many'],
    ['--spin-us', '-1'],
    ['--spin-us', '0.5'],
    ['--spin-us', '100001'],
  ])('refuses %s %j', (flag, value) => {
    expect(problemsOf(() => loadStartConfig([`${flag}=${value}`], {}))).toHaveLength(1);
  });

  it.each(['hunter2-the-key', 'bot:read:hunter2', `bot:write:${'ab'.repeat(32)}`, `a:read:${'ab'.repeat(32)},a:read:${'cd'.repeat(32)}`])(
    'refuses the keys %j without repeating them, wherever they are written',
    (text) => {
      const path = file({ start: { apiKeys: text } });
      const problems = problemsOf(() => loadStartConfig(['--api-keys', text, '--config', path], { MDP_API_KEYS: text }));
      expect(problems).toHaveLength(3);
      expect(problems.filter((problem) => /hunter2|abab/.test(problem))).toEqual([]);
      expect(problems[2]).toMatch(/^--api-keys: the value is not NAME:read:SHA256,/);
    },
  );

  it.each(['wss://hunter2:pass@x/ws', 'wss://hunter2@x', 'wss://:hunter2@x', 'wss://x/ws?token=hunter2', 'wss://hunter2:pass@no host'])(
    'refuses the address %j without repeating it, wherever it is written',
    (text) => {
      const path = file({ start: { wsUrl: text, restUrl: text.replace('wss', 'https') } });
      const problems = problemsOf(() => loadStartConfig(['--ws-url', text, '--config', path], { MDP_WS_URL: text }));
      expect(problems).toHaveLength(4);
      expect(problems.filter((problem) => problem.includes('hunter2'))).toEqual([]);
    },
  );

  it('is frozen', () => {
    const config = loadStartConfig([], {});
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('lists the problems of every layer at once', () => {
    const path = file({ start: { prot: 1, port: '8080' }, sim: { seed: -1 }, live: {}, demo: 5 });
    const problems = problemsOf(() =>
      loadStartConfig(['--config', path, '--interval', '1s', '--ws-url', 'http://x', '--rest-url', 'nonsense'], {
        MDP_PROT: '1',
        MDP_LOG_LEVEL: 'loud',
      }),
    );
    expect(problems).toEqual([
      `${path}: start.prot: unknown key; nearest is port`,
      `${path}: start.port: "8080" is not a whole number 0 to 65535`,
      `${path}: sim.seed: -1 is not a whole number 0 to 4294967295`,
      `${path}: live: unknown section`,
      `${path}: demo: is not an object`,
      'MDP_PROT: unknown variable; nearest is MDP_PORT',
      'MDP_LOG_LEVEL: "loud" is not trace | debug | info | warn | error | fatal | silent',
      '--interval: "1s" is not 10ms | 100ms',
      '--ws-url: the value is not an address wss://… or ws://… without user, password and query',
      '--rest-url: the value is not an address https://… or http://… without user, password and query',
    ]);
  });

  it('names a bad value in the file although a flag overrides it', () => {
    expect(problemsOf(() => loadStartConfig(['--port=1', '--config', file({ start: { port: -1 } })], {}))).toHaveLength(1);
  });

  it.each([
    ['', /is not JSON/],
    ['{"start": {', /is not JSON/],
    ['[]', /is not a JSON object/],
    ['null', /is not a JSON object/],
  ])('refuses a file that holds %j', (content, reason) => {
    expect(problemsOf(() => loadStartConfig(['--config', file(content)], {}))).toEqual([expect.stringMatching(reason)]);
  });

  it('refuses a file that is not there', () => {
    expect(problemsOf(() => loadStartConfig(['--config', join(folder, 'none.json')], {}))).toEqual([
      expect.stringMatching(/cannot be read: ENOENT/),
    ]);
  });

  it('does not take inherited names for keys', () => {
    const path = file('{"start": {"constructor": 1, "__proto__": {"port": 1}}, "toString": {}}');
    expect(problemsOf(() => loadStartConfig(['--config', path], {}))).toHaveLength(3);
  });
});

describe('loadSimConfig and loadDemoConfig', () => {
  it('take their own section, variables and flags', () => {
    const path = file({ sim: { seed: 3 }, demo: { seed: 4 }, start: { port: 1 } });
    const env = { MDP_SIM_RATE: '3', MDP_DEMO_RATE: '4', MDP_PORT: '2', MDP_CONFIG: path };
    expect(loadSimConfig(['--symbols', 'btcusdt'], env)).toMatchObject({
      seed: 3,
      rate: 3,
      port: 8090,
      symbols: ['BTCUSDT'],
      replay: null,
    });
    expect(loadDemoConfig(['--workers', 'auto'], env)).toMatchObject({ seed: 4, rate: 4, port: 8080, symbols: 50 });
  });
});

describe('the defaults', () => {
  it('are complete and right for every command, and hold nothing else', () => {
    const content = JSON.parse(readFileSync(join(packageRoot(), DEFAULTS_FILE), 'utf8')) as Record<string, object>;
    expect(Object.keys(content)).toEqual([...commandNames]);
    for (const command of commandNames) {
      expect(Object.keys(content[command]!)).toEqual(keysOf(command).map((entry) => entry.key));
      expect(defaultsOf(command)).toEqual(content[command]);
    }
  });
});

describe('the documentation', () => {
  it('is up to date: run "npm run docs:config"', () => {
    expect(readFileSync(join(packageRoot(), 'config', 'README.md'), 'utf8')).toBe(configReference());
  });

  it.each(commandNames)('explains every key of %s', (command) => {
    const text = helpText(command);
    for (const { flag, env, schema } of keysOf(command)) {
      expect(text).toContain(`--${flag}\n`);
      expect(text).toContain(env);
      expect(text).toContain(schema.description);
      expect(text).toContain(schema.accepts);
    }
  });
});

describe('packageVersion', () => {
  it('is that of package.json', () => {
    expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });
});
