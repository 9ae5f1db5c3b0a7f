import { join } from 'node:path';
import { expect } from 'vitest';
import { packageRoot } from '../../src/support/config/index.js';
import { it } from '../support/cleanup.js';
import { engineOf, exchangeOf, MdpProcess } from '../support/mdp-process.js';
import { type OtherMessage, PushClient } from '../support/push-client.js';
import { until } from '../support/until.js';

const preload = join(packageRoot(), 'test/support/sleep-when-told.mjs');
const HOUR_MS = 3_600_000;
/** By so much a thread may be behind the system's clock, and does not follow it. */
const DRIFT_MS = 2_000;

interface Touch extends OtherMessage {
  readonly ch: 'bbo';
  /** Received, by the main thread. */
  readonly tr: number;
  /** Published, by a worker. */
  readonly tp: number;
}

it('after a sleep every thread follows the clock, and books that may have missed something are stale until it is known', {
  timeout: 60_000,
}, async ({ opened }) => {
  const sim = opened(new MdpProcess('sim', '--port', '0', '--symbols', '4', '--rate', '8'));
  const { wsUrl, restUrl } = await exchangeOf(sim);
  const flags = ['--port', '0', '--symbols', 'all', '--workers', '1', '--ws-url', wsUrl, '--rest-url', restUrl];
  const start = opened(new MdpProcess({ preload }, 'start', ...flags));
  const engine = await engineOf(start);
  await start.text(/"all books live"/);
  const client = opened(await PushClient.connect(engine.wsUrl));
  const { symbols } = (await (await fetch(`${engine.url}/symbols`)).json()) as { symbols: { symbol: string }[] };
  const names = symbols.map(({ symbol }) => symbol);
  await client.watch(names);
  const touches = await client.listen<Touch>('bbo', names);
  await until(() => touches.length > names.length, { what: 'the market' });
  client.forgetStates();

  const thenMs = Date.now();
  expect(touches.at(-1)!.tp).toBeLessThan(thenMs + DRIFT_MS);
  start.send(String(HOUR_MS));
  await start.text(/"sleptMs":3[56]\d{5},"msg":"the clock jumped/);
  await until(() => client.disturbed().length > 0, { what: 'stale books' });
  const [disturbed] = client.disturbed();
  expect(client.states(disturbed!)[1]).toMatchObject({ state: 'stale', reason: 'silent' });
  await until(() => client.live().length === names.length, { what: 'all books live again' });
  const awakeMs = thenMs + HOUR_MS - DRIFT_MS;
  await until(() => touches.at(-1)!.tr > awakeMs, { what: 'a push received after it' });
  expect(touches.at(-1)!.tp).toBeGreaterThan(awakeMs);
});
