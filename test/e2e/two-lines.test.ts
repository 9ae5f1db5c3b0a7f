import { crc32 } from 'node:zlib';
import { expect } from 'vitest';
import { depthChannel } from '../../src/mexc/channels.js';
import { it } from '../support/cleanup.js';
import { quickTimings } from '../support/engine.js';
import { expectUnnoticed, metric, TwoLines } from '../support/two-lines.js';
import { until } from '../support/until.js';

it('each line loses pushes, and what one loses comes on the other', { timeout: 60_000 }, async ({ opened }) => {
  const scene = await TwoLines.start(opened);
  const { proxy, engine } = scene;
  const lost = [0, 0];
  // The copies of a push are the same bytes: one of them is lost, never both.
  proxy.loses = ({ side }, push) => {
    const hash = crc32(push);
    if (hash % 8 !== 0 || ((hash >>> 8) & 1) !== side) return false;
    lost[side]!++;
    return true;
  };
  await until(() => lost[0]! > 100 && lost[1]! > 100, { what: 'a hundred pushes lost on each', timeoutMs: 40_000 });
  // Now one line is late by more than the time between two pushes: what the other lost leaves a hole that has to wait.
  proxy.lateMs = ({ side }) => (side === 1 ? 150 : 0);
  await until(async () => (await metric(engine, 'mdp_line_healed_total')) >= 30, { what: 'thirty holes filled', timeoutMs: 40_000 });
  proxy.loses = () => false;
  await scene.news(3);
  await expectUnnoticed(scene);
  const wins = (await metric(engine, 'mdp_line_wins_total', { line: '0' })) + (await metric(engine, 'mdp_line_wins_total', { line: '1' }));
  expect(wins).toBeGreaterThan(1000);
  expect(Math.abs((await metric(engine, 'mdp_line_lead_seconds_count')) - wins)).toBeLessThan(wins / 2);
});

it('a line that dies is made up for by the other, whichever it is', { timeout: 60_000 }, async ({ opened }) => {
  const scene = await TwoLines.start(opened);
  const { proxy, engine, sim } = scene;
  for (const side of [0, 1, 1, 0]) {
    for (const line of proxy.lines().filter((each) => each.side === side)) line.kill();
    await until(() => proxy.carriers(depthChannel(sim.symbols[0]!, '100ms')).length === 1, { what: 'the loss' });
    await scene.bothStand();
  }
  await expectUnnoticed(scene);
  expect(await metric(engine, 'mdp_line_takeovers_total')).toBeGreaterThanOrEqual(4);
  expect(await metric(engine, 'mdp_exchange_connections_lost_total')).toBeGreaterThanOrEqual(12);
});

it('a line that stands still is made up for by the other, and is replaced', { timeout: 60_000 }, async ({ opened }) => {
  const connection = { ...quickTimings.connection, pingIntervalMs: 500, pongTimeoutMs: 1000, silenceMs: 3000 };
  const scene = await TwoLines.start(opened, { feedTimings: { ...quickTimings, connection } });
  const { proxy } = scene;
  for (const side of [0, 1]) {
    const still = proxy.lines().filter((each) => each.side === side);
    for (const line of still) line.stall();
    await until(() => still.every((line) => !proxy.lines().includes(line)), { what: 'the lines to be given up' });
    await scene.bothStand();
  }
  await expectUnnoticed(scene);
});

it('both lines are replaced in time', { timeout: 90_000 }, async ({ opened }) => {
  const scene = await TwoLines.start(opened, { rotateAfterMs: 4000, feedTimings: { ...quickTimings, replacementHoldMs: 300 } });
  const { proxy, engine } = scene;
  const numbers = new Set(proxy.lines().map(({ number }) => number));
  await until(async () => (await metric(engine, 'mdp_exchange_connections_replaced_total')) >= 20, {
    what: '20 replacements',
    timeoutMs: 60_000,
  });
  expect(proxy.lines().some(({ number }) => numbers.has(number))).toBe(false);
  await scene.bothStand();
  await expectUnnoticed(scene);
  expect(await metric(engine, 'mdp_exchange_connections_lost_total')).toBe(0);
});
