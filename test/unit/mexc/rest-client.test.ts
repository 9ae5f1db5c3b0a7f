import type { IncomingMessage, ServerResponse } from 'node:http';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { parseExchangeInfo, parseTickers } from '../../../src/mexc/exchange-info.js';
import { RestClient } from '../../../src/mexc/rest-client.js';
import type { RestClientOptions } from '../../../src/mexc/rest-client.js';
import { parseRetryAfter } from '../../../src/mexc/rest-errors.js';
import { ErrorCode } from '../../../src/support/errors.js';
import { sendJson, startScriptedHttp } from '../../support/scripted-http.js';
import type { ScriptedHttp } from '../../support/scripted-http.js';

const logger = pino({ level: 'silent' });
const btc = { symbol: 'BTCUSDT', status: '1', baseAsset: 'BTC', quoteAsset: 'USDT', quotePrecision: 2, baseAssetPrecision: 8 };

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const it of open.splice(0)) await it.close();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void, options: Partial<RestClientOptions> = {}) {
  const http: ScriptedHttp = await startScriptedHttp(answer);
  const reports: (number | null | 'ok')[] = [];
  const budget = {
    acquire: () => Promise.resolve(),
    throttled: (retryAfterMs: number | null) => void reports.push(retryAfterMs),
    succeeded: () => void reports.push('ok'),
  };
  const client = new RestClient({ restUrl: http.url, budget, logger, ...options });
  open.push(client, http);
  return { http, client, reports };
}

describe('RestClient.depth', () => {
  it('hands over the bytes as they came and percent-encodes the symbol', async () => {
    const body = '{"lastUpdateId":5,"bids":[],"asks":[["1.0","2"]],"timestamp":1}';
    const { client, http, reports } = await serve((_, response) => response.end(body));
    expect(Buffer.from(await client.depth('币安人生USDT', 5000)).toString()).toBe(body);
    expect(http.requests).toEqual(['/api/v3/depth?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&limit=5000']);
    expect(reports).toEqual(['ok']);
    expect(client.simulated).toBe(false);
  });

  it('takes bodies of many parts', async () => {
    const levels = Array.from({ length: 5000 }, (_, i) => [`${i}.00`, '1.0']);
    const body = JSON.stringify({ lastUpdateId: 1, bids: levels, asks: levels });
    const { client } = await serve((_, response) => response.end(body));
    expect(Buffer.from(await client.depth('A', 5000)).toString()).toBe(body);
  });

  it('notices a simulated exchange', async () => {
    const { client } = await serve((_, response) =>
      sendJson(response, 200, { lastUpdateId: 1, bids: [], asks: [] }, { 'x-simulated-exchange': 'mdp' }),
    );
    await client.depth('A', 5);
    expect(client.simulated).toBe(true);
  });

  it.each<[string, number, string, Record<string, string>, string, object, (number | null | 'ok')[]]>([
    [
      '429 with Retry-After',
      429,
      '{"code":429,"msg":"Too Many Requests"}',
      { 'retry-after': '7' },
      ErrorCode.EXCHANGE_THROTTLED,
      { retryAfterMs: 7000 },
      [7000],
    ],
    ['429 without', 429, '', {}, ErrorCode.EXCHANGE_THROTTLED, { retryAfterMs: null }, [null]],
    [
      '-1003 whatever the status',
      400,
      '{"msg":"Too many requests.","code":-1003}',
      {},
      ErrorCode.EXCHANGE_THROTTLED,
      { exchangeCode: -1003 },
      [null],
    ],
    [
      '510 inside a 200',
      200,
      '{"success":false,"code":510,"message":"Requests are too frequent"}',
      {},
      ErrorCode.EXCHANGE_THROTTLED,
      { exchangeCode: 510 },
      [null],
    ],
    [
      '418',
      418,
      '{"code":-1,"msg":"banned"}',
      { 'retry-after': '120' },
      ErrorCode.EXCHANGE_FORBIDDEN,
      { retryAfterMs: 120_000 },
      [120_000],
    ],
    [
      'the firewall page',
      403,
      '<HTML><TITLE>Access Denied</TITLE>',
      { 'content-type': 'text/html' },
      ErrorCode.EXCHANGE_FORBIDDEN,
      { retryAfterMs: null },
      [null],
    ],
    ['a page with status 200', 200, ' <html>', { 'content-type': 'text/html' }, ErrorCode.EXCHANGE_FORBIDDEN, { status: 200 }, [null]],
    [
      '451',
      451,
      '{"code":0,"msg":"Service unavailable from a restricted location."}',
      {},
      ErrorCode.EXCHANGE_FORBIDDEN,
      { status: 451 },
      [null],
    ],
    [
      'an unknown symbol',
      400,
      '{"msg":"invalid symbol","code":-1121}',
      {},
      ErrorCode.EXCHANGE_REFUSED,
      { exchangeCode: -1121, exchangeMsg: 'invalid symbol' },
      [],
    ],
    ['an error body in a 200', 200, '{"code":10007,"msg":"bad symbol"}', {}, ErrorCode.EXCHANGE_REFUSED, { exchangeCode: 10007 }, []],
    ['503 JSON', 503, '{"code":503,"msg":"service not available"}', {}, ErrorCode.EXCHANGE_UNREACHABLE, { status: 503 }, []],
    ['502 HTML', 502, '<html>', { 'content-type': 'text/html' }, ErrorCode.EXCHANGE_UNREACHABLE, { status: 502 }, []],
    ['text instead of JSON', 200, 'ok', {}, ErrorCode.EXCHANGE_ANSWER_MALFORMED, {}, []],
    ['an empty body', 200, '', {}, ErrorCode.EXCHANGE_ANSWER_MALFORMED, {}, []],
    ['a list', 200, '[1]', {}, ErrorCode.EXCHANGE_ANSWER_MALFORMED, {}, ['ok']],
    ['404 text', 404, 'not found', {}, ErrorCode.EXCHANGE_ANSWER_MALFORMED, { status: 404 }, []],
    ['a redirect', 302, '', { location: '/' }, ErrorCode.EXCHANGE_ANSWER_MALFORMED, { status: 302 }, []],
  ])('%s', async (_name, status, body, headers, code, details, reported) => {
    const { client, reports } = await serve((_, response) => {
      response.writeHead(status, headers);
      response.end(body);
    });
    await expect(client.depth('A', 5)).rejects.toMatchObject({ code, details });
    expect(reports).toEqual(reported);
  });

  it('gives up on an answer that does not come, and on one that trickles', async () => {
    const silent = await serve(() => {}, { totalTimeoutMs: 50 });
    await expect(silent.client.depth('A', 5)).rejects.toMatchObject({ code: ErrorCode.EXCHANGE_TIMEOUT });
    const trickling = await serve((_, response) => void response.write('{"bids":['), { totalTimeoutMs: 50 });
    await expect(trickling.client.depth('A', 5)).rejects.toMatchObject({ code: ErrorCode.EXCHANGE_TIMEOUT });
  });

  it('tells a closed port and a cut answer from other failures', async () => {
    const cut = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"bids":[', () => response.socket?.destroy());
    });
    await expect(cut.client.depth('A', 5)).rejects.toMatchObject({ code: ErrorCode.EXCHANGE_UNREACHABLE });
    const gone = await serve(() => {});
    await gone.http.close();
    await expect(gone.client.depth('A', 5)).rejects.toMatchObject({ code: ErrorCode.EXCHANGE_UNREACHABLE });
  });

  it('does not take more than 8 MiB', async () => {
    const part = Buffer.alloc(1024 * 1024, '{');
    const { client } = await serve((_, response) => {
      for (let i = 0; i < 12; i++) response.write(part);
      response.end();
    });
    await expect(client.depth('A', 5)).rejects.toMatchObject({ code: ErrorCode.EXCHANGE_ANSWER_MALFORMED });
  });
});

describe('RestClient.exchangeInfo', () => {
  const answers: Record<string, unknown> = {
    '/prefix/api/v3/exchangeInfo': {
      timezone: 'CST',
      symbols: [btc, { ...btc, symbol: 'ETHUSDT', baseAsset: 'ETH' }, { ...btc, symbol: 'OFFUSDT', status: '2' }],
    },
    '/prefix/api/v3/ticker/24hr': [
      { symbol: 'BTCUSDT', quoteVolume: '123.5' },
      { symbol: 'ETHUSDT', quoteVolume: null },
    ],
  };

  it('lists what trades, with turnover where asked, under a path prefix', async () => {
    const http = await startScriptedHttp((request, response) => sendJson(response, 200, answers[request.url ?? '']));
    let taken = 0;
    const budget = { acquire: () => Promise.resolve(void taken++), throttled: () => {}, succeeded: () => {} };
    const client = new RestClient({ restUrl: `${http.url}/prefix/`, budget, logger });
    open.push(client, http);
    const plain = { baseAsset: 'BTC', quoteAsset: 'USDT', priceScale: 2, quantityScale: 8, turnover: null };
    expect(await client.exchangeInfo()).toEqual([
      { ...plain, symbol: 'BTCUSDT' },
      { ...plain, symbol: 'ETHUSDT', baseAsset: 'ETH' },
    ]);
    const { symbols, tickers } = await client.listing();
    expect(symbols.map(({ symbol, turnover }) => [symbol, turnover])).toEqual([
      ['BTCUSDT', 123.5],
      ['ETHUSDT', null],
    ]);
    expect(JSON.parse(Buffer.from(tickers).toString())).toEqual(answers['/prefix/api/v3/ticker/24hr']);
    expect(taken).toBe(3);
  });

  it('refuses an answer that is no list of symbols', async () => {
    const { client } = await serve((_, response) => response.end('{"symbols":'));
    await expect(client.exchangeInfo()).rejects.toMatchObject({ code: ErrorCode.EXCHANGE_ANSWER_MALFORMED });
    expect(() => parseExchangeInfo({})).toThrow(expect.objectContaining({ code: ErrorCode.EXCHANGE_ANSWER_MALFORMED }));
    expect(() => parseTickers({})).toThrow(expect.objectContaining({ code: ErrorCode.EXCHANGE_ANSWER_MALFORMED }));
  });

  it('names the entries it cannot use', () => {
    const bad = [
      { ...btc, symbol: 'A', quotePrecision: 23 },
      { ...btc, symbol: 'B', baseAssetPrecision: -1 },
      { ...btc, symbol: 'C', quotePrecision: '2' },
      { ...btc, symbol: 'lower' },
      { ...btc, symbol: 'D', quoteAsset: undefined },
    ];
    const { symbols, unusable } = parseExchangeInfo({ symbols: [null, 7, btc, ...bad] });
    expect(symbols.map(({ symbol }) => symbol)).toEqual(['BTCUSDT']);
    expect(unusable).toEqual(['A', 'B', 'C', 'lower', 'D']);
  });

  it('reads amounts as text, number, empty or null', () => {
    const tickers = parseTickers([
      { symbol: 'A', quoteVolume: '1e3' },
      { symbol: 'B', quoteVolume: 2 },
      { symbol: 'C', quoteVolume: '' },
      { symbol: 'D' },
      { symbol: 'E', quoteVolume: 'x' },
      3,
    ]);
    expect(tickers.map(({ quoteVolume }) => quoteVolume)).toEqual([1000, 2, null, null, null]);
  });
});

describe('parseRetryAfter', () => {
  it('reads seconds and dates, and bounds them', () => {
    const now = Date.parse('2026-11-01T00:00:00Z');
    expect(parseRetryAfter(undefined, now)).toBeNull();
    expect(parseRetryAfter('soon', now)).toBeNull();
    expect(parseRetryAfter(' 30 ', now)).toBe(30_000);
    expect(parseRetryAfter('0.5', now)).toBe(500);
    expect(parseRetryAfter('Sun, 01 Nov 2026 00:00:05 GMT', now)).toBe(5000);
    expect(parseRetryAfter('Sat, 31 Oct 2026 00:00:05 GMT', now)).toBe(0);
    expect(parseRetryAfter('99999999', now)).toBe(3 * 24 * 3600 * 1000);
  });
});
