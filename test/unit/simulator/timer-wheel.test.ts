import { expect, it } from 'vitest';
import { Prng } from '../../../src/simulator/prng.js';
import { TimerWheel } from '../../../src/simulator/timer-wheel.js';

it('calls every member at its tick, also those many rounds away', () => {
  const random = new Prng(7, 'wheel');
  const wheel = new TimerWheel(40, 8);
  const due = new Map<number, number>();
  for (let member = 0; member < 40; member++) {
    due.set(member, 1 + random.below(50));
    wheel.schedule(member, due.get(member)!);
  }
  for (let tick = 1; tick <= 500; tick++) {
    const members = wheel.take(tick);
    expect(new Set(members)).toEqual(new Set([...due.keys()].filter((member) => due.get(member) === tick)));
    for (const member of members) {
      due.set(member, tick + 1 + random.below(50));
      wheel.schedule(member, due.get(member)!);
    }
  }
});
