import type { FastifyInstance } from 'fastify';
import pino, { type Logger } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildHttp } from '../../../src/gateway/http.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { LOG_LEVELS } from '../../../src/support/config/index.js';
import { FakeMarketData, FakePort } from '../../support/fake-market-data.js';

let lines: string[];
let logger: Logger;
let market: FakeMarketData;
let app: FastifyInstance;

beforeEach(async () => {
  lines = [];
  logger = pino({ level: 'warn', base: null, timestamp: false }, { write: (line: string) => lines.push(line) });
  market = new FakeMarketData();
  app = await buildHttp({ market, hub: new PublicationHub(new FakePort()), logger });
});
afterEach(() => app.close());

const put = (query: string) => app.inject({ method: 'PUT', url: `/log-level${query}` });
const messages = (): string[] => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);

describe('/log-level', () => {
  test('tells and changes the level', async () => {
    expect((await app.inject('/log-level')).json()).toEqual({ level: 'warn' });
    for (const level of LOG_LEVELS) {
      const answer = await put(`?level=${level}`);
      expect([answer.statusCode, answer.json()]).toEqual([200, { level }]);
      expect((await app.inject('/log-level')).json()).toEqual({ level });
    }
  });

  test('takes effect at once, in both directions, and is a line of the log itself', async () => {
    logger.info('before');
    await put('?level=info');
    logger.info('after');
    await put('?level=error');
    logger.info('too late');
    expect(messages()).toEqual(['log level changed', 'after', 'log level changed']);
    expect(JSON.parse(lines[0]!)).toMatchObject({ from: 'warn', to: 'info' });
  });

  test('reaches what the HTTP server logs', async () => {
    market.status = () => {
      throw new Error('broken');
    };
    expect((await app.inject('/status')).statusCode).toBe(500);
    await put('?level=silent');
    await app.inject('/status');
    await put('?level=error');
    await app.inject('/status');
    expect(messages()).toEqual(['request failed', 'request failed']);
  });

  test.each(['', '?level=loud', '?level=INFO', '?level=info&x=1'])('refuses %j and changes nothing', async (query) => {
    const answer = await put(query);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'BAD_PARAMETER']);
    expect(logger.level).toBe('warn');
  });

  test('the address it listens on is not logged by the server', async () => {
    logger.level = 'info';
    await app.listen({ host: '127.0.0.1', port: 0 });
    expect(lines).toEqual([]);
  });
});
