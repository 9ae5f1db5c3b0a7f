import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildHttp } from '../../../src/gateway/http.js';
import { AuditOutcome } from '../../../src/model/audit.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { FakeMarketData, FakePort } from '../../support/fake-market-data.js';

const report = {
  outcome: AuditOutcome.MATCH,
  timeMs: 1_700_000_000_000.5,
  version: 4242,
  matched: 10,
  wrong: 0,
  ghosts: 0,
  missing: 0,
  corrected: 0,
  dropped: 0,
  priceScale: 2,
  quantityScale: 4,
  differences: [],
} as const;

let market: FakeMarketData;
let app: FastifyInstance;

beforeEach(async () => {
  market = new FakeMarketData();
  app = await buildHttp({ market, hub: new PublicationHub(new FakePort()), logger: pino({ level: 'silent' }) });
});

afterEach(() => app.close());

async function get(url: string) {
  return app.inject({ method: 'GET', url });
}

describe('GET /audit/:symbol', () => {
  test('before the first audit', async () => {
    market.addLive('BTCUSDT');
    const answer = await get('/audit/btcusdt');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      symbol: 'BTCUSDT',
      everyMs: 1000,
      audits: { match: 0, mismatch: 0 },
      reach: { bid: null, ask: null },
      last: null,
      lastMismatch: null,
    });
  });

  test('counts, the last one, and the last mismatch with its levels', async () => {
    market.addLive('BTCUSDT');
    const symbol = market.find('BTCUSDT')!;
    market.audited.add(symbol, report);
    market.audited.add(symbol, {
      ...report,
      outcome: AuditOutcome.MISMATCH,
      matched: 6,
      wrong: 1,
      ghosts: 1,
      differences: [
        { side: 'bid', tick: 8_427_012, ours: 30, theirs: 15 },
        { side: 'ask', tick: 8_427_100, ours: 1, theirs: 0 },
      ],
    });
    market.audited.add(symbol, { ...report, outcome: AuditOutcome.NO_JOIN, version: 0, matched: 0 });
    const answer = (await get('/audit/BTCUSDT')).json();
    expect(answer.audits).toEqual({ match: 1, mismatch: 1, interrupted: 0, no_join: 1, not_reached: 0, overflow: 0, unreadable: 0 });
    expect(answer.last).toMatchObject({ outcome: 'no_join', version: null, compared: 0, matchRatio: null });
    expect(answer.lastMismatch).toEqual({
      outcome: 'mismatch',
      time: 1_700_000_000_000,
      version: 4242,
      compared: 8,
      matched: 6,
      wrong: 1,
      ghosts: 1,
      missing: 0,
      corrected: 0,
      dropped: 0,
      matchRatio: 0.75,
      differences: [
        { side: 'bid', price: '84270.12', ours: '0.0030', theirs: '0.0015' },
        { side: 'ask', price: '84271.00', ours: '0.0001', theirs: null },
      ],
    });
    const page = (await get('/metrics')).body;
    expect(page).toContain('mdp_audits_total{outcome="mismatch"} 1');
    expect(page).toContain('mdp_audits_total{outcome="failed"} 0');
    expect(page).toContain('mdp_audit_levels_total{result="matched"} 16');
    expect(page).toContain('mdp_audit_match_ratio{shard="0"} 0.75');
    market.audited.forget(symbol.id);
    expect((await get('/audit/BTCUSDT')).json().last).toBeNull();
    expect((await get('/metrics')).body).not.toMatch(/^mdp_audit_match_ratio/m);
  });

  test('refuses a symbol that is not tracked, and parameters', async () => {
    market.addLive('BTCUSDT');
    const nope = await get('/audit/NOPE');
    expect([nope.statusCode, nope.json().code]).toEqual([404, 'SYMBOL_NOT_TRACKED']);
    expect((await get('/audit/BTCUSDT?depth=5')).json().code).toBe('BAD_PARAMETER');
  });
});
