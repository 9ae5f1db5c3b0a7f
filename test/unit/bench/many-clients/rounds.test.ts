import { describe, expect, it } from 'vitest';
import { QuoteTimes } from '../../../../bench/many-clients/quote-times.js';
import { checkHere, checkQuotes } from '../../../../bench/many-clients/sound-round.js';

describe('the times of a round', () => {
  /** One symbol, one follower who has its first quote, and a round begun. */
  function begun(): { times: QuoteTimes; follower: ReturnType<QuoteTimes['follow']> } {
    const times = new QuoteTimes(1);
    const follower = times.follow(0);
    times.told(follower, 0, 0);
    times.begin();
    return { times, follower };
  }

  it('are those of the pushes sent in it, replaced ones too', () => {
    const { times, follower } = begun();
    times.sent(0, 10);
    times.sent(0, 12);
    times.told(follower, 2, 13);
    times.end();
    expect(times.isComplete).toBe(true);
    expect([...times.take(20)]).toEqual([3000, 1000]);
  });

  it('count what arrives after its end', () => {
    const { times, follower } = begun();
    times.sent(0, 10);
    times.end();
    expect(times.isComplete).toBe(false);
    times.sent(0, 30);
    times.told(follower, 2, 40);
    expect(times.isComplete).toBe(true);
    expect([...times.take(50)]).toEqual([30_000]);
  });

  it('count a quote that never came with its age', () => {
    const { times } = begun();
    times.sent(0, 10);
    times.end();
    expect([...times.take(510)]).toEqual([500_000]);
  });

  it('are of this round only', () => {
    const { times, follower } = begun();
    times.sent(0, 10);
    times.end();
    times.take(20);
    times.begin();
    times.sent(0, 40);
    times.told(follower, 2, 41);
    times.told(follower, 2, 44);
    times.end();
    expect([...times.take(50)]).toEqual([1000]);
    expect(times.wrong).toBe(0);
  });

  it('tell a quote that is older than the one before', () => {
    const { times, follower } = begun();
    times.sent(0, 10);
    times.sent(0, 11);
    times.told(follower, 2, 12);
    times.told(follower, 1, 13);
    expect(times.wrong).toBe(1);
  });
});

describe('a round is not counted', () => {
  it('with fewer than 95 % of its quotes', () => {
    expect(() => checkQuotes(949, 1000)).toThrow('949 quotes in a round of 1000');
    expect(() => checkQuotes(950, 1000)).not.toThrow();
  });

  it('with fewer than 90 % of those that never read', () => {
    expect(() => checkHere([100, 70, 90], 100)).toThrow('87 of 100 clients that never read were connected');
    expect(() => checkHere([100, 80, 90], 100)).not.toThrow();
    expect(() => checkHere([], 100)).toThrow('NaN of 100');
    expect(() => checkHere([0], 0)).not.toThrow();
  });
});
