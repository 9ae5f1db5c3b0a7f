import { expect, test } from 'vitest';
import { parseGcTrace } from '../../../../bench/steady/gc-trace.js';

test('collections of each thread, other lines passed over', () => {
  const text = [
    'something printed',
    '[16777:0x40513e00]     7485 ms: Scavenge 39.9 (62.4) -> 25.3 (62.4) MB, 8.73 / 0.00 ms  (average mu = 0.989, current mu = 0.989) task; ',
    '[16777:0x7f9310000f00]     5500 ms: Mark-Compact (reduce) 10.5 (15.0) -> 6.6 (15.0) MB, 6.83 / 0.10 ms  (average mu = 1.000) x; ',
  ].join('\n');
  expect(parseGcTrace(text)).toEqual([
    { isolate: '0x40513e00', kind: 'Scavenge', pauseMs: 8.73 },
    { isolate: '0x7f9310000f00', kind: 'Mark-Compact', pauseMs: 6.83 },
  ]);
});

test('no collection, no entry', () => {
  expect(parseGcTrace('')).toEqual([]);
});
