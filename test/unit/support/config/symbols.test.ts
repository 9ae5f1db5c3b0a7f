import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../../src/support/errors.js';
import { parseSimulatedSymbols, parseSymbols, SYMBOL_COUNT_MAX } from '../../../../src/support/config/symbols.js';

describe('parseSymbols', () => {
  it.each([
    ['all', { kind: 'all' }],
    [' ALL ', { kind: 'all' }],
    ['quote:USDT', { kind: 'quote', quoteAsset: 'USDT' }],
    ['quote: usdc', { kind: 'quote', quoteAsset: 'USDC' }],
    ['top:20', { kind: 'top', count: 20 }],
    ['TOP:1', { kind: 'top', count: 1 }],
    ['BTCUSDT', { kind: 'list', symbols: ['BTCUSDT'] }],
    ['btcusdt, ETHUSDT ,BTCUSDT', { kind: 'list', symbols: ['BTCUSDT', 'ETHUSDT'] }],
    ['龙USDT,straßeusdt', { kind: 'list', symbols: ['龙USDT', 'STRAßEUSDT'] }],
    ['1000SATSUSDT', { kind: 'list', symbols: ['1000SATSUSDT'] }],
  ])('reads %j', (text, expected) => {
    expect(parseSymbols(text)).toEqual(expected);
  });

  it.each([
    '',
    ' ',
    ',',
    'BTCUSDT,',
    'top:',
    'top:0',
    'top:-1',
    'top:1.5',
    'top:x',
    `top:${SYMBOL_COUNT_MAX + 1}`,
    'quote:',
    'quote:A,B',
    'best:5',
  ])('refuses %j', (text) => {
    expect(() => parseSymbols(text)).toThrow(CodedError);
  });

  it.each(['BTC USDT', 'BTC/USDT', 'a@b', '"BTC"', 'A\u0000B', 'A\u202eB', 'A'.repeat(65)])('refuses the name %j', (name) => {
    expect(() => parseSymbols(name)).toThrow(/is not a name/);
  });
});

describe('parseSimulatedSymbols', () => {
  it.each([
    [50, 50],
    ['7', 7],
    ['btcusdt,ETHUSDT', ['BTCUSDT', 'ETHUSDT']],
  ])('reads %j', (value, expected) => {
    expect(parseSimulatedSymbols(value)).toEqual(expected);
  });

  it.each([0, -1, 1.5, '', '0', '-3', '1.5', 'A,,B'])('refuses %j', (value) => {
    expect(() => parseSimulatedSymbols(value)).toThrow(CodedError);
  });
});
