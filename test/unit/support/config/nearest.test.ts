import { expect, it } from 'vitest';
import { nearestWord } from '../../../../src/support/config/nearest.js';

it.each([
  ['prot', ['host', 'port'], 'port'],
  ['symbol', ['symbols', 'port'], 'symbols'],
  ['strat', ['start', 'sim', 'demo'], 'start'],
  ['a', ['b'], undefined],
  ['nonsense', ['host', 'port'], undefined],
  ['x', [], undefined],
])('finds for %j in %j: %j', (word, candidates, expected) => {
  expect(nearestWord(word, candidates)).toBe(expected);
});
