import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MALFORMED_FRAME, SymbolIndex, UNKNOWN_SYMBOL } from '../../../src/feed/symbol-index.js';
import { readGoldenFrames } from '../../support/golden.js';
import { bytesField, pushFrame, varintField } from '../../support/push-frame.js';
import { sharedDir } from '../../support/shared.js';

function indexOf(...symbols: readonly string[]): SymbolIndex {
  const index = new SymbolIndex();
  symbols.forEach((symbol, id) => index.add(symbol, id));
  return index;
}

const DEPTH = 'spot@public.aggre.depth.v3.api.pb@100ms@';

describe('SymbolIndex.peek', () => {
  const index = indexOf('BTCUSDT', '币安人生USDT', 'UTCUSDT');

  it('finds the symbol field', () => {
    expect(index.peek(pushFrame({ channel: `${DEPTH}BTCUSDT`, symbol: 'BTCUSDT', sendTime: 1 }))).toBe(0);
    expect(index.peek(pushFrame({ channel: `${DEPTH}币安人生USDT`, symbol: '币安人生USDT', sendTime: 1 }))).toBe(1);
  });

  it('trusts the symbol field more than the channel, whatever their order', () => {
    const body = bytesField(313, Buffer.alloc(300, 0x1a));
    expect(
      index.peek(Buffer.concat([body, varintField(6, 1791570232498), bytesField(3, 'UTCUSDT'), bytesField(1, `${DEPTH}BTCUSDT`)])),
    ).toBe(2);
    expect(index.peek(Buffer.concat([body, bytesField(1, `${DEPTH}BTCUSDT`), bytesField(3, 'UTCUSDT')]))).toBe(2);
  });

  it.each([
    [`${DEPTH}BTCUSDT`, 0],
    ['spot@public.aggre.bookTicker.v3.api.pb@10ms@UTCUSDT', 2],
    ['spot@public.limit.depth.v3.api.pb@BTCUSDT@5', 0],
    ['spot@public.kline.v3.api.pb@币安人生USDT@Min1', 1],
    ['spot@public.bookTicker.batch.v3.api.pb@UTCUSDT', 2],
    ['spot@public.miniTickers.v3.api.pb@UTC+8', UNKNOWN_SYMBOL],
    [`${DEPTH}ETHUSDT`, UNKNOWN_SYMBOL],
    [DEPTH, UNKNOWN_SYMBOL],
    ['BTCUSDT', UNKNOWN_SYMBOL],
    ['@', UNKNOWN_SYMBOL],
    ['', UNKNOWN_SYMBOL],
  ])('without a symbol field reads the channel %s', (channel, id) => {
    expect(index.peek(Buffer.concat([bytesField(1, channel), varintField(6, 5)]))).toBe(id);
  });

  it('skips fields it does not know, of every wire type', () => {
    const unknown = [
      varintField(2000, 7),
      bytesField(99, 'x'),
      Buffer.from([0x49, 1, 2, 3, 4, 5, 6, 7, 8]),
      Buffer.from([0x55, 1, 2, 3, 4]),
    ];
    expect(index.peek(Buffer.concat([...unknown, bytesField(3, 'BTCUSDT')]))).toBe(0);
  });

  it.each([
    ['nothing', ''],
    ['half a tag', '80'],
    ['a tag of six bytes', '808080808001'],
    ['field 0', '0200'],
    ['a group', '0b'],
    ['wire type 6', '0e'],
    ['no length', '0a'],
    ['half a length', '0a80'],
    ['a length of five bytes', '0a8080808001'],
    ['more length than bytes', '0a0541'],
    ['a symbol cut short', '1a0742544355'],
    ['half a varint', '3080'],
    ['a varint of eleven bytes', '308080808080808080808001'],
    ['a 64-bit field cut short', '4901'],
    ['a 32-bit field cut short', '5501'],
    ['JSON', Buffer.from('{"id":0}').toString('hex')],
  ])('calls %s malformed', (_name, hex) => {
    expect(index.peek(Buffer.from(hex, 'hex'))).toBe(MALFORMED_FRAME);
  });

  it('takes any bytes without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const id = index.peek(bytes);
        return id >= MALFORMED_FRAME && id <= 2;
      }),
      { numRuns: 2000 },
    );
  });
});

describe('SymbolIndex as a table', () => {
  it('agrees with a map through any adds and removes', () => {
    const symbol = fc.integer({ min: 0, max: 300 }).map((n) => (n % 3 === 0 ? `币${n}USDT` : `S${n}USDT`));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), symbol), { maxLength: 400 }), (steps) => {
        const index = new SymbolIndex();
        const model = new Map<string, number>();
        let nextId = 0;
        for (const [isAdd, name] of steps) {
          const id = model.get(name);
          if (isAdd && id === undefined) {
            model.set(name, nextId);
            index.add(name, nextId++);
          } else if (!isAdd && id !== undefined) {
            model.delete(name);
            index.remove(id);
          }
        }
        expect(index.size).toBe(model.size);
        for (const [, name] of steps) expect(index.peek(bytesField(3, name))).toBe(model.get(name) ?? UNKNOWN_SYMBOL);
      }),
      { numRuns: 100 },
    );
  });

  it('holds thousands', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `SYM${i}USDT`);
    const index = indexOf(...names);
    for (const [id, name] of names.entries()) expect(index.peek(bytesField(3, name))).toBe(id);
  });

  it('refuses an id or a symbol twice, and to remove what is not there', () => {
    const index = indexOf('A');
    expect(() => index.add('B', 0)).toThrow('in use');
    expect(() => index.add('A', 1)).toThrow('indexed already');
    expect(() => index.remove(9)).toThrow('not indexed');
  });
});

describe.skipIf(!sharedDir)('captured frames (needs ../shared)', () => {
  it('finds every one by its symbol', () => {
    const { good } = readGoldenFrames();
    expect(good.length).toBeGreaterThan(15);
    for (const { name, bytes, decoded } of good) {
      const symbol = decoded['symbol'];
      const index = indexOf('OTHERUSDT', ...(typeof symbol === 'string' ? [symbol] : []));
      expect(index.peek(bytes), name).toBe(typeof symbol === 'string' ? 1 : UNKNOWN_SYMBOL);
    }
  });
});
