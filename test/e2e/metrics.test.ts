import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Engine } from '../../src/engine.js';
import type { EngineStatus } from '../../src/model/market-data.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { packageRoot } from '../../src/support/config/index.js';
import { getStatus, startEngine } from '../support/engine.js';
import { metricsOf, type PageMetric, parsePage, promtool } from '../support/prometheus.js';
import { PushClient } from '../support/push-client.js';
import { until } from '../support/until.js';

// No dependency of ours; it comes with one.
const { load: parseYaml } = createRequire(import.meta.url)('js-yaml') as { load: (text: string) => unknown };

const read = (path: string): string => readFileSync(join(packageRoot(), path), 'utf8');

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(read('config/grafana/dashboards/market-data-processor.json')) as { readonly panels: readonly Panel[] };
interface Rule {
  readonly alert: string;
  readonly expr: string;
}
const alerts = (parseYaml(read('config/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);

let sim: Simulator;
let engine: Engine;
let client: PushClient;
let text: string;
let contentType: string | null;
let page: ReadonlyMap<string, PageMetric>;
let before: EngineStatus;
let after: EngineStatus;
let elapsedSeconds: number;

const value = (name: string, labels: Readonly<Record<string, string>> = {}): number => {
  const matching = [...page.values()]
    .flatMap(({ samples }) => samples)
    .filter((sample) => sample.name === name && Object.entries(labels).every(([label, text]) => sample.labels[label] === text));
  expect([name, matching.length > 0]).toEqual([name, true]);
  return matching.reduce((sum, sample) => sum + sample.value, 0);
};

beforeAll(async () => {
  sim = await startSimulator({ symbols: 6, rate: 20, seed: 5 });
  const startedAt = performance.now();
  engine = await startEngine(sim, { audit: 100 });
  client = await PushClient.connect(engine.wsUrl);
  const followers = await client.follow(sim.symbols, 5, 0);
  await until(() => followers.every(({ live }) => live), { what: 'all books live' });
  await until(async () => (await getStatus(engine.url)).counters.framesApplied > 100, { what: 'some updates' });
  const isAudited = (): boolean => sim.symbols.every((name) => engine.market.audits(engine.market.find(name)!).audits.match > 0);
  await until(isAudited, { timeoutMs: 20_000, what: 'an audit of each book' });
  await until(async () => (await getStatus(engine.url)).exchangeClock !== null, { what: "the exchange's time" });
  before = await getStatus(engine.url);
  const response = await fetch(`${engine.url}/metrics`);
  text = await response.text();
  after = await getStatus(engine.url);
  elapsedSeconds = (performance.now() - startedAt) / 1000;
  contentType = response.headers.get('content-type');
  page = parsePage(text);
});
afterAll(async () => {
  client?.close();
  await engine?.close();
  await sim?.close();
});

test.skipIf(promtool === undefined)('promtool has nothing to say about the page', () => {
  expect(promtool!(['check', 'metrics'], text)).toBe('');
});

describe('the page', () => {
  it('is text as Prometheus reads it', () => {
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('says what the status says', () => {
    const between = (name: string, low: number, high: number): void => {
      const found = value(name);
      expect([name, found >= low, found <= high]).toEqual([name, true, true]);
    };
    between('mdp_exchange_frames_total', before.counters.frames, after.counters.frames);
    between('mdp_exchange_received_bytes_total', before.counters.bytes, after.counters.bytes);
    between('mdp_book_updates_applied_total', before.counters.framesApplied, after.counters.framesApplied);
    expect([value('mdp_books', { state: 'live' }), value('mdp_books')]).toEqual([6, 6]);
    expect([value('mdp_shards', { state: 'running' }), value('mdp_shard_symbols')]).toEqual([2, 6]);
    // The trades' subscriptions may still be under way.
    expect(value('mdp_exchange_connections', { state: 'open' })).toBeGreaterThanOrEqual(1);
    expect(value('mdp_exchange_subscriptions')).toBeGreaterThanOrEqual(6);
    expect([value('mdp_clients'), value('mdp_client_subscriptions')]).toEqual([1, 6]);
    expect(value('mdp_source_info', { simulated: 'true' })).toBe(1);
  });

  it('counts levels, requests, messages and bytes', () => {
    expect(value('mdp_book_levels_applied_total')).toBeGreaterThan(value('mdp_book_updates_applied_total'));
    expect(value('mdp_book_resyncs_total')).toBeGreaterThanOrEqual(6);
    // A snapshot for each book, and the list of pairs.
    expect(value('mdp_exchange_requests_total')).toBeGreaterThanOrEqual(7);
    expect(value('mdp_messages_encoded_total')).toBeGreaterThan(6);
    expect(value('mdp_deliveries_total')).toBeGreaterThan(6);
    expect(value('mdp_delivered_bytes_total')).toBeGreaterThan(value('mdp_deliveries_total'));
  });

  it("knows the exchange's clock, which is our own here", () => {
    const offset = value('mdp_exchange_clock_offset_seconds');
    const error = value('mdp_exchange_clock_error_seconds');
    expect([offset * 1000, error * 1000]).toEqual(
      [before.exchangeClock!.offsetMs, before.exchangeClock!.errorMs].map((ms) => expect.closeTo(ms, 6)),
    );
    // The simulator reads the system's clock, which may be set a little while we run.
    expect(Math.abs(offset)).toBeLessThan(error + 0.05);
    expect(error).toBeLessThan(1);
    expect(before.exchangeClock!.measuredAt).toBeGreaterThan(before.startedAt);
  });

  it('tells work from sleep', () => {
    const { samples } = page.get('mdp_shard_busy_seconds_total')!;
    expect(samples.map(({ labels }) => labels['shard'])).toEqual(['0', '1']);
    // Nearly idle workers, however long they sleep in between.
    for (const { value: busy } of samples) expect([busy > 0, busy < elapsedSeconds / 2]).toEqual([true, true]);
    expect(value('mdp_event_loop_active_seconds_total')).toBeGreaterThan(0);
  });

  it('has a histogram of each stage, cumulative and complete', () => {
    const updates = value('mdp_book_updates_applied_total');
    for (const stage of ['exchange_to_received', 'received_to_applied', 'received_to_published']) {
      const buckets = page
        .get('mdp_latency_seconds')!
        .samples.filter(({ name, labels }) => name.endsWith('_bucket') && labels['stage'] === stage);
      const counts = buckets.map((bucket) => bucket.value);
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      const count = value('mdp_latency_seconds_count', { stage });
      expect([stage, buckets.at(-1)!.labels['le'], counts.at(-1)]).toEqual([stage, '+Inf', count]);
      expect([stage, count > 0, value('mdp_latency_seconds_sum', { stage }) > 0]).toEqual([stage, true, true]);
      if (stage !== 'received_to_published') expect(count).toBeLessThanOrEqual(updates);
    }
    expect(value('mdp_event_loop_delay_seconds_count')).toBeGreaterThan(10);
  });

  it('has no series for each symbol, and bounded labels', () => {
    const labels = new Set([...page.values()].flatMap(({ samples }) => samples.flatMap((sample) => Object.keys(sample.labels))));
    expect([...labels].toSorted()).toEqual([
      'code',
      'direction',
      'kind',
      'le',
      'line',
      'node',
      'outcome',
      'reason',
      'result',
      'shard',
      'simulated',
      'stage',
      'state',
      'venue',
      'version',
    ]);
    for (const symbol of sim.symbols) expect(text).not.toContain(symbol);
  });

  it('is the one of the table in docs/operations.md', () => {
    const rows = [...read('docs/operations.md').matchAll(/^\| `([a-z_]+)` \| (\w+) \|([^|]*)\|([^|]*)\|$/gm)];
    const told = rows.map(([, name, type, labels, help]) => [name, type, labels!.replaceAll('`', '').trim(), help!.trim()]);
    const shown = [...page].map(([name, { type, help, samples }]) => {
      const labels = Object.keys(samples[0]?.labels ?? {}).filter((label) => label !== 'le');
      return [name, type, labels.join(', '), help];
    });
    expect(told).toEqual(shown);
  });
});

describe('expressions', () => {
  const expressions = [
    ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: `panel ${title}`, expr }))),
    ...alerts.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
  ];

  it('use metrics and labels that exist', () => {
    const series = new Map<string, Set<string>>([['up', new Set()]]);
    for (const { samples } of page.values()) {
      for (const { name, labels } of samples) series.set(name, new Set([...(series.get(name) ?? []), ...Object.keys(labels)]));
    }
    const uses = expressions.flatMap(({ where, expr }) => metricsOf(expr).map((use) => ({ where, ...use })));
    expect(uses.length).toBeGreaterThan(60);
    expect(uses.filter(({ name }) => !series.has(name))).toEqual([]);
    // Prometheus adds these two itself.
    const isKnown = (name: string, label: string): boolean => ['job', 'instance'].includes(label) || series.get(name)!.has(label);
    expect(uses.filter(({ name, labels }) => labels.some((label) => !isKnown(name, label)))).toEqual([]);
  });

  it('show every metric on the dashboard', () => {
    const shown = new Set(
      dashboard.panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => metricsOf(expr).map(({ name }) => name))),
    );
    const missing = [...page.keys()].filter((name) => !shown.has(name) && !shown.has(`${name}_bucket`));
    expect(missing).toEqual([]);
  });

  test.skipIf(promtool === undefined)('promtool can read them all', () => {
    const rules = expressions.map(({ expr }, index) => ({
      record: `check:${index}`,
      expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', 'mdp'),
    }));
    const folder = mkdtempSync(join(tmpdir(), 'mdp-rules-'));
    const file = join(folder, 'rules.yml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'check', rules }] }));
    const answer = promtool!(['check', 'rules', file]);
    rmSync(folder, { recursive: true });
    expect(answer).toContain(`${rules.length} rules found`);
    expect(promtool!(['check', 'config', join(packageRoot(), 'config/prometheus.yml')])).toContain('SUCCESS');
  });

  it('every alert is explained in docs/operations.md', () => {
    expect(alerts.length).toBeGreaterThan(5);
    expect(alerts.filter(({ alert }) => !read('docs/operations.md').includes(`| \`${alert}\` |`))).toEqual([]);
  });
});

describe('compose.yaml', () => {
  interface Service {
    readonly image?: string;
    readonly build?: string;
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
    readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  }
  const compose = parseYaml(read('compose.yaml')) as { readonly services: Readonly<Record<string, Service>>; readonly volumes: object };

  it('has the engine, Prometheus and Grafana, with pinned images, on this machine only', () => {
    expect(Object.keys(compose.services)).toEqual(['mdp', 'prometheus', 'grafana']);
    for (const [name, { image, build, ports = [] }] of Object.entries(compose.services)) {
      expect([name, build === '.' || /:v?\d+\.\d+\.\d+$/.test(image ?? '')]).toEqual([name, true]);
      expect([name, ports.length > 0 && ports.every((port) => port.startsWith('127.0.0.1:'))]).toEqual([name, true]);
    }
    for (const { depends_on: needed = [] } of Object.values(compose.services)) {
      for (const name of Array.isArray(needed) ? needed : Object.keys(needed)) expect(Object.keys(compose.services)).toContain(name);
    }
  });

  it('mounts files that are there, at the places their readers look', () => {
    const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')));
    const paths = new Map(mounts.filter(([from]) => from!.startsWith('./')).map(([from, to]) => [to!, from!]));
    expect(mounts.filter(([from]) => !from!.startsWith('./') && !Object.hasOwn(compose.volumes, from!))).toEqual([]);
    expect(read(paths.get('/etc/prometheus/prometheus.yml')!)).toContain('mdp:8080');
    expect(parseYaml(read(paths.get('/etc/prometheus/alerts.yml')!))).toMatchObject({ groups: [{}] });
    const provisioning = paths.get('/etc/grafana/provisioning')!;
    const { datasources } = parseYaml(read(`${provisioning}/datasources/prometheus.yaml`)) as { datasources: { url: string }[] };
    expect(datasources[0]!.url).toBe('http://prometheus:9090');
    const { providers } = parseYaml(read(`${provisioning}/dashboards/mdp.yaml`)) as { providers: { options: { path: string } }[] };
    expect(read(`${paths.get(providers[0]!.options.path)!}/market-data-processor.json`)).toContain('"uid": "mdp"');
  });
});
