import { describe, expect, it } from 'vitest';
import { depthChannel, formatChannel, isSymbol, parseChannel } from '../../../src/mexc/channels.js';
import type { MexcChannel } from '../../../src/mexc/channels.js';
import { ErrorCode } from '../../../src/support/errors.js';

const channels: readonly (readonly [string, MexcChannel])[] = [
  ['spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT', { kind: 'depth', speed: '100ms', symbol: 'BTCUSDT' }],
  ['spot@public.aggre.depth.v3.api.pb@10ms@币安人生USDT', { kind: 'depth', speed: '10ms', symbol: '币安人生USDT' }],
  ['spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDT', { kind: 'deals', speed: '10ms', symbol: 'BTCUSDT' }],
  ['spot@public.aggre.bookTicker.v3.api.pb@100ms@HYPEUSDT', { kind: 'bookTicker', speed: '100ms', symbol: 'HYPEUSDT' }],
  ['spot@public.limit.depth.v3.api.pb@BTCUSDT@20', { kind: 'limitDepth', symbol: 'BTCUSDT', levels: 20 }],
  ['spot@public.kline.v3.api.pb@BTCUSDT@Min15', { kind: 'kline', symbol: 'BTCUSDT', interval: 'Min15' }],
  ['spot@public.bookTicker.batch.v3.api.pb@BTCUSDT', { kind: 'bookTickerBatch', symbol: 'BTCUSDT' }],
  ['spot@public.miniTicker.v3.api.pb@BTCUSDT@UTC+12:45', { kind: 'miniTicker', symbol: 'BTCUSDT', timezone: 'UTC+12:45' }],
  ['spot@public.miniTickers.v3.api.pb@UTC+8', { kind: 'miniTickers', timezone: 'UTC+8' }],
  ['spot@public.deals.v3.api.pb@BTCUSDT', { kind: 'rawDeals', symbol: 'BTCUSDT' }],
  ['spot@public.increase.depth.v3.api.pb@BTCUSDT', { kind: 'increaseDepth', symbol: 'BTCUSDT' }],
  ['spot@public.increase.depth.batch.v3.api.pb@BTCUSDT', { kind: 'increaseDepthBatch', symbol: 'BTCUSDT' }],
];

describe('channels', () => {
  it.each(channels)('reads and writes %s', (text, channel) => {
    expect(parseChannel(text)).toEqual(channel);
    expect(formatChannel(channel)).toBe(text);
  });

  it('builds the depth channel', () => {
    expect(depthChannel('BTCUSDT', '100ms')).toBe(channels[0]![0]);
  });

  it.each([
    ['', 'empty'],
    ['spot@public.deals.v3.api@BTCUSDT', 'a channel of the retired JSON stream'],
    ['spot@public.aggre.depth.v3.api.pb@BTCUSDT', 'speed missing'],
    ['spot@public.aggre.depth.v3.api.pb@BTCUSDT@100ms', 'speed behind the symbol'],
    ['spot@public.aggre.depth.v3.api.pb@50ms@BTCUSDT', 'no such speed'],
    ['spot@public.aggre.depth.v3.api.pb@100ms@btcusdt', 'lower case'],
    ['spot@public.aggre.depth.v3.api.pb@100ms@', 'symbol missing'],
    ['spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT@', 'a part too many'],
    ['spot@public.limit.depth.v3.api.pb@BTCUSDT@50', 'no such depth'],
    ['spot@public.limit.depth.v3.api.pb@BTCUSDT@5.0', 'depth in another spelling'],
    ['spot@public.kline.v3.api.pb@BTCUSDT@1m', 'an interval of the REST API'],
    ['spot@public.miniTicker.v3.api.pb@BTCUSDT', 'timezone missing'],
    ['spot@public.miniTickers.v3.api.pb@UTC+14', 'no such timezone'],
    ['__proto__@constructor@X', 'names of object members'],
  ])('refuses %s (%s)', (text) => {
    expect(() => parseChannel(text)).toThrow(expect.objectContaining({ code: ErrorCode.CHANNEL_MALFORMED }));
  });

  it.each(['', 'A@B', 'A,B', 'A]B', 'A B', 'btcusdt', 'A\n', 'X'.repeat(65)])('does not build a channel for %j', (symbol) => {
    expect(isSymbol(symbol)).toBe(false);
    expect(() => depthChannel(symbol, '10ms')).toThrow(expect.objectContaining({ code: ErrorCode.CHANNEL_MALFORMED }));
  });
});
