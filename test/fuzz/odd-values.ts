import type { Prng } from '../../src/simulator/prng.js';
import { once, pick } from './lanes.js';

/** Names as clients get them wrong. */
const oddNames: readonly string[] = [
  '',
  ' ',
  'btcusdt',
  'NOPEUSDT',
  'BTC/USDT',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\ud800',
  `${'A'.repeat(63)}😀`,
  'A'.repeat(64),
  'A'.repeat(65),
  'Ä'.repeat(200),
  'ßß',
  '%',
  '%00',
  '../../etc/passwd',
  'BTCUSDT,ETHUSDT',
  'all',
  'null',
  '\u202eTDSUCTB',
];

/** Numbers at which something ends. */
const oddNumbers: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  2,
  5,
  20,
  99,
  100,
  101,
  499,
  500,
  501,
  1000,
  1001,
  4999,
  5000,
  5001,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53,
  2 ** 53 + 2,
  1e21,
  1e308,
  -1e308,
  5e-324,
];

/** Decimal text as it comes in addresses. */
const oddDigits: readonly string[] = [
  '',
  '00',
  '01',
  '+1',
  '-1',
  '1.',
  '.5',
  '1e3',
  '0x10',
  '１',
  '1_000',
  'NaN',
  'Infinity',
  '-0',
  '1 ',
  '9'.repeat(400),
  `0.${'0'.repeat(300)}1`,
  'true',
  'full',
  'FULL',
  'null',
  '[]',
  '%',
  '%zz',
  '%ff',
  "'",
  '<script>',
];

export function oddName(random: Prng, sound: readonly string[]): string {
  if (once(random, 3)) return pick(random, oddNames);
  const name = pick(random, sound);
  const at = random.below(name.length + 1);
  switch (random.below(4)) {
    case 0:
      return name.toLowerCase();
    case 1:
      return name.slice(0, at) + name.slice(at + 1);
    case 2:
      return name.slice(0, at) + String.fromCodePoint(random.below(0x1_00_00)) + name.slice(at);
    default:
      return name.repeat(1 + random.below(20));
  }
}

export function oddNumber(random: Prng): number {
  return once(random, 2) ? pick(random, oddNumbers) : random.below(6000) - 500;
}

export function oddText(random: Prng): string {
  return once(random, 2) ? pick(random, oddDigits) : String(oddNumber(random));
}

/** Any JSON value, nested ones among them. */
export function oddValue(random: Prng, depth = 0): unknown {
  switch (random.below(depth > 3 ? 6 : 9)) {
    case 0:
      return null;
    case 1:
      return once(random, 2);
    case 2:
      return oddNumber(random);
    case 3:
      return pick(random, oddNames);
    case 4:
      return oddText(random);
    case 5:
      return 'x'.repeat(pick(random, [255, 256, 257, depth === 0 ? 5000 : 1]));
    case 6:
      return Array.from({ length: random.below(4) }, () => oddValue(random, depth + 1));
    case 7:
      return { [pick(random, oddNames)]: oddValue(random, depth + 1), toString: oddValue(random, depth + 1) };
    default:
      return {};
  }
}
