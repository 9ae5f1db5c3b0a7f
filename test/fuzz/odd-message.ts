import { candleIntervals } from '../../src/model/candle-interval.js';
import { channelNames } from '../../src/model/publication.js';
import { depths, intervalsMs, ops } from '../../src/gateway/ws/protocol.js';
import type { Prng } from '../../src/simulator/prng.js';
import { once, pick } from './lanes.js';
import { oddName, oddText, oddValue } from './odd-values.js';

/** A message of a client as JSON, each of its parts mostly sound: so that most get past what is looked at first. */
export function oddMessage(random: Prng, symbols: readonly string[]): string {
  const message: Record<string, unknown> = {};
  const set = (name: string, oddOnceIn: number, sound: () => unknown): void => {
    if (once(random, oddOnceIn * 2)) return;
    message[name] = once(random, oddOnceIn) ? oddValue(random) : sound();
  };
  const channel = pick(random, channelNames);
  set('op', 12, () => (once(random, 8) ? pick(random, ops) : once(random, 4) ? 'unsubscribe' : 'subscribe'));
  set('id', 6, () => (once(random, 2) ? random.below(1e6) : oddText(random).slice(0, 200)));
  set('channel', 12, () => channel);
  set('symbols', 10, () => symbolList(random, symbols));
  if (!once(random, 3)) set('depth', 6, () => pick(random, depths));
  if (!once(random, 3)) set('interval', 6, () => (channel === 'candle' ? pick(random, candleIntervals) : soundInterval(random)));
  if (!once(random, 3)) set('every', 6, () => soundInterval(random));
  if (once(random, 20)) message[oddText(random)] = oddValue(random);
  return respelled(random, JSON.stringify(message));
}

function soundInterval(random: Prng): number | string {
  const ms = pick(random, intervalsMs);
  return once(random, 3) ? `${ms}ms` : ms;
}

function symbolList(random: Prng, symbols: readonly string[]): unknown {
  if (once(random, 30)) return 'all';
  if (once(random, 60)) return Array.from({ length: pick(random, [999, 1000, 1001, 2000]) }, (_, i) => `X${i}USDT`);
  return Array.from({ length: 1 + random.below(4) }, () => (once(random, 4) ? oddName(random, symbols) : pick(random, symbols)));
}

/** The same, or nearly, in another spelling. */
function respelled(random: Prng, text: string): string {
  switch (random.below(40)) {
    case 0:
      return `\ufeff${text}`;
    case 1:
      return ` \t\r\n${text}\n`;
    case 2:
      return `${text}${text}`;
    case 3:
      return `[${text},${text}]`;
    case 4:
      return text.replace('{', '{"op":"ping","op":"subscribe","__proto__":{"op":"ping"},');
    case 5:
      return text.replace(/[a-z]/g, (letter) => (once(random, 4) ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter));
    case 6:
      return pick(random, ['[', '{"a":', '[{"a":[']).repeat(pick(random, [10, 1000, 5000]));
    case 7:
      return text.replace(/\d+/, '1'.repeat(5000));
    case 8:
      return `${text.slice(0, -1)},"pad":"${'x'.repeat(pick(random, [1000, 30_000]))}"}`;
    default:
      return text;
  }
}
