import { describe, expect, test } from 'vitest';
import { MessageRate } from '../../../src/gateway/ws/message-rate.js';
import { depths, intervalsMs, parseClientMessage, specFields } from '../../../src/gateway/ws/protocol.js';
import { candleIntervals } from '../../../src/model/candle-interval.js';
import { Channel, Format } from '../../../src/model/publication.js';

function parse(message: unknown) {
  return parseClientMessage(typeof message === 'string' ? message : JSON.stringify(message), { symbolsPerMessage: 3 });
}

describe('what can be followed', () => {
  const symbols = ['BTCUSDT'];
  test.each([
    [{ channel: 'book' }, { channel: Channel.BOOK, depth: 20, intervalMs: 100, format: Format.JSON }],
    [
      { channel: 'book', depth: 'full', interval: 0 },
      { channel: Channel.BOOK, depth: 0, intervalMs: 0, format: Format.JSON },
    ],
    [
      { channel: 'book', depth: 500, interval: '250ms' },
      { channel: Channel.BOOK, depth: 500, intervalMs: 250, format: Format.JSON },
    ],
    [
      { channel: 'book_top', interval: '0' },
      { channel: Channel.BOOK_TOP, depth: 20, intervalMs: 0, format: Format.JSON },
    ],
    [
      { channel: 'bbo', depth: 'nonsense is not looked at' },
      { channel: Channel.BBO, depth: 0, intervalMs: 0, format: Format.JSON },
    ],
    [
      { channel: 'bbo', interval: 1000 },
      { channel: Channel.BBO, depth: 0, intervalMs: 1000, format: Format.JSON },
    ],
    [
      { channel: 'status', interval: 'neither' },
      { channel: Channel.STATUS, depth: 0, intervalMs: 0, format: Format.JSON },
    ],
    [
      { channel: 'candle', depth: 5 },
      { channel: Channel.CANDLE, depth: 0, intervalMs: 1000, format: Format.JSON, candleInterval: 0 },
    ],
    [
      { channel: 'candle', interval: '1M', every: '100ms' },
      { channel: Channel.CANDLE, depth: 0, intervalMs: 100, format: Format.JSON, candleInterval: candleIntervals.length - 1 },
    ],
    [
      { channel: 'book', depth: null, interval: null, mode: 'delta' },
      { channel: Channel.BOOK, depth: 20, intervalMs: 100, format: Format.JSON },
    ],
  ])('subscribe %j', (fields, spec) => {
    expect(parse({ op: 'subscribe', id: 7, symbols, ...fields })).toEqual({ op: 'subscribe', id: 7, spec, symbols });
  });

  test.each([
    [{}, { depth: undefined, intervalMs: undefined }, 'all'],
    [{ symbols: 'all', depth: 5 }, { depth: 5, intervalMs: undefined }, 'all'],
    [{ symbols, interval: '10ms' }, { depth: undefined, intervalMs: 10 }, symbols],
  ])('unsubscribe %j', (fields, pattern, wanted) => {
    expect(parse({ op: 'unsubscribe', channel: 'book', ...fields })).toEqual({
      op: 'unsubscribe',
      id: undefined,
      pattern: { channel: Channel.BOOK, ...pattern },
      symbols: wanted,
    });
  });

  test('unsubscribe from candles of one length, or of all', () => {
    const parsed = (fields: object): unknown => parse({ op: 'unsubscribe', channel: 'candle', ...fields });
    expect(parsed({ interval: '3m' })).toMatchObject({ pattern: { channel: Channel.CANDLE, intervalMs: undefined, candleInterval: 1 } });
    expect(parsed({ every: 500 })).toMatchObject({ pattern: { channel: Channel.CANDLE, intervalMs: 500, candleInterval: undefined } });
    expect(parsed({ interval: '7m' })).toMatchObject({ op: 'error', code: 'INTERVAL_NOT_SUPPORTED' });
    expect(specFields({ channel: Channel.CANDLE, depth: 0, intervalMs: 500, candleInterval: 1 })).toEqual({ interval: '3m', every: 500 });
  });

  test.each(['seven', 7, 7.5, undefined])('ping with id %s', (id) => {
    expect(parse({ op: 'ping', id })).toEqual({ op: 'ping', id });
  });
});

describe('what is refused, with the values allowed', () => {
  const book = { op: 'subscribe', id: 7, channel: 'book', symbols: ['BTCUSDT'] };
  test.each<[unknown, string, string]>([
    ['', 'BAD_JSON', 'JSON'],
    ['{"op":', 'BAD_JSON', 'JSON'],
    ['null', 'BAD_MESSAGE', 'object'],
    ['[]', 'BAD_MESSAGE', 'object'],
    ['"subscribe"', 'BAD_MESSAGE', 'object'],
    [{}, 'UNKNOWN_OP', 'subscribe, unsubscribe, ping'],
    [{ op: 'replay' }, 'UNKNOWN_OP', 'subscribe, unsubscribe, ping'],
    [{ op: ['subscribe'] }, 'UNKNOWN_OP', 'subscribe, unsubscribe, ping'],
    [{ ...book, id: {} }, 'BAD_ID', 'number or a string'],
    [{ ...book, id: 'x'.repeat(257) }, 'BAD_ID', 'number or a string'],
    [{ ...book, channel: undefined }, 'UNKNOWN_CHANNEL', 'book, book_top, bbo, status'],
    [{ ...book, channel: 'trades' }, 'UNKNOWN_CHANNEL', 'book, book_top, bbo, status'],
    [{ ...book, channel: 0 }, 'UNKNOWN_CHANNEL', 'book, book_top, bbo, status'],
    [{ ...book, depth: 7 }, 'DEPTH_NOT_SUPPORTED', depths.join(', ')],
    [{ ...book, depth: 0 }, 'DEPTH_NOT_SUPPORTED', depths.join(', ')],
    [{ ...book, depth: '20' }, 'DEPTH_NOT_SUPPORTED', depths.join(', ')],
    [{ ...book, depth: [20] }, 'DEPTH_NOT_SUPPORTED', depths.join(', ')],
    [{ ...book, interval: 7 }, 'INTERVAL_NOT_SUPPORTED', intervalsMs.join(', ')],
    [{ ...book, interval: '1s' }, 'INTERVAL_NOT_SUPPORTED', intervalsMs.join(', ')],
    [{ ...book, interval: -0.5 }, 'INTERVAL_NOT_SUPPORTED', intervalsMs.join(', ')],
    [{ ...book, symbols: undefined }, 'BAD_SYMBOLS', '1 to 3'],
    [{ ...book, symbols: 'BTCUSDT' }, 'BAD_SYMBOLS', '1 to 3'],
    [{ ...book, symbols: [] }, 'BAD_SYMBOLS', '1 to 3'],
    [{ ...book, symbols: ['A', 1] }, 'BAD_SYMBOLS', '1 to 3'],
    [{ ...book, symbols: ['A', 'B', 'C', 'D'] }, 'BAD_SYMBOLS', '1 to 3'],
    [{ op: 'unsubscribe', channel: 'nope' }, 'UNKNOWN_CHANNEL', 'book, book_top, bbo, status'],
    [{ op: 'unsubscribe', channel: 'book', depth: 7 }, 'DEPTH_NOT_SUPPORTED', depths.join(', ')],
    [{ op: 'unsubscribe', channel: 'book', interval: 7 }, 'INTERVAL_NOT_SUPPORTED', intervalsMs.join(', ')],
    [{ op: 'unsubscribe', channel: 'book', symbols: 'BTCUSDT' }, 'BAD_SYMBOLS', '"all"'],
  ])('%j gives %s', (message, code, allowed) => {
    const answer = parse(message);
    expect(answer).toMatchObject({ op: 'error', code, message: expect.stringContaining(allowed), retryable: false });
    const hasId = typeof message === 'object' && message !== null && 'id' in message && message.id === 7;
    if (hasId) expect(answer).toMatchObject({ id: 7 });
    else expect(answer).not.toHaveProperty('id');
  });
});

describe('the rate of messages', () => {
  function verdicts(rate: MessageRate, second: number, count: number): string[] {
    return Array.from({ length: count }, () => rate.take(second * 1000));
  }

  test('passes up to the limit, refuses once a second, drops the rest', () => {
    expect(verdicts(new MessageRate(2, 3), 0, 5)).toEqual(['pass', 'pass', 'refuse', 'drop', 'drop']);
  });

  test.each([
    ['in a row', [0, 1, 2]],
    ['two of three', [0, 1, 3]],
    ['every other one', [0, 2, 4]],
    ['the first and the last of ten', [0, 5, 9]],
  ])('closes in the third second over it out of ten: %s', (_, seconds) => {
    const rate = new MessageRate(2, 3);
    expect(seconds.map((second) => verdicts(rate, second, 3).at(-1))).toEqual(['refuse', 'refuse', 'close']);
  });

  test('forgives what is ten seconds old', () => {
    const rate = new MessageRate(2, 3);
    expect([0, 5, 10, 15, 19].map((second) => verdicts(rate, second, 3).at(-1))).toEqual(['refuse', 'refuse', 'refuse', 'refuse', 'close']);
  });

  test('counts what needs no verdict', () => {
    const rate = new MessageRate(3, 3);
    expect(rate.take(0)).toBe('pass');
    rate.add(9, 0);
    expect(verdicts(rate, 0, 2)).toEqual(['refuse', 'drop']);
    expect(rate.take(1000)).toBe('pass');
  });
});
