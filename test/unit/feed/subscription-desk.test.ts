import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pacer } from '../../../src/feed/pacer.js';
import { MESSAGE_BYTES_MAX, SubscriptionDesk } from '../../../src/feed/subscription-desk.js';
import type { SubscriptionDeskOptions } from '../../../src/feed/subscription-desk.js';
import { depthChannel } from '../../../src/mexc/channels.js';
import type { Ack } from '../../../src/mexc/acks.js';

interface Sent {
  readonly method: string;
  readonly params: string[];
  readonly id: number;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(options: Partial<SubscriptionDeskOptions> = {}) {
  const sent: Sent[] = [];
  const sizes: number[] = [];
  const heard: string[] = [];
  const desk = new SubscriptionDesk({
    send: (text) => {
      sizes.push(Buffer.byteLength(text));
      sent.push(JSON.parse(text) as Sent);
    },
    pacer: new Pacer(40, 5, () => Date.now()),
    ackTimeoutMs: 5000,
    logger: pino({ level: 'silent' }),
    connection: 3,
    accepted: (channel) => void heard.push(`+${channel}`),
    refused: (channel, reason) => void heard.push(`-${channel} ${reason}`),
    isFlowing: () => false,
    unanswered: (channels) => void heard.push(`?${channels.join(',')}`),
    ...options,
  });
  return { desk, sent, sizes, heard };
}

const ack = (id: number, ok: string[], refused: string[] = []): Ack => ({
  kind: 'ack',
  id,
  ok,
  refused: refused.map((channel) => ({ channel, reason: 'Blocked!' })),
});
const flush = (): void => void vi.advanceTimersByTime(1000);

describe('SubscriptionDesk', () => {
  it('gathers what is ordered in one turn, within 1,024 bytes, keeping the order', () => {
    const { desk, sent, sizes } = setUp();
    const channels = Array.from({ length: 60 }, (_, i) => depthChannel(i % 2 === 0 ? `S${i}USDT` : `币安人生${i}USDT`, '100ms'));
    for (const channel of channels) desk.subscribe(channel);
    expect(sent).toEqual([]);
    flush();
    expect(sent.flatMap(({ params }) => params)).toEqual(channels);
    expect(sent.length).toBeLessThanOrEqual(5);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(sent.length);
  });

  it('sends no more messages than its pace allows', () => {
    const { desk, sent } = setUp({ ackTimeoutMs: 1e6 });
    for (let i = 0; i < 200; i++) {
      desk.subscribe(`a${i}`);
      desk.unsubscribe(`b${i}`);
    }
    vi.advanceTimersByTime(999);
    expect(sent.length).toBeLessThanOrEqual(45);
    expect(sent.length).toBeGreaterThan(35);
    vi.advanceTimersByTime(10_000);
    expect(sent.length).toBe(400);
  });

  it('tells accepted from refused and from those the answer leaves out', () => {
    const { desk, sent, heard } = setUp();
    for (const channel of ['a', 'b', 'c']) desk.subscribe(channel);
    flush();
    desk.acknowledge(ack(1, ['a'], ['b']));
    expect(heard).toEqual(['+a', '-b Blocked!']);
    vi.advanceTimersByTime(5000);
    expect(sent[1]).toEqual({ method: 'SUBSCRIPTION', params: ['c'], id: 2 });
    desk.acknowledge(ack(1, ['a', 'b', 'c']));
    expect(heard.slice(2)).toEqual(['+c']);
    desk.acknowledge(ack(2, ['c']));
    expect(heard.length).toBe(3);
    vi.advanceTimersByTime(60_000);
    expect(sent.length).toBe(2);
  });

  it('gives up after the second try, and not on channels that push', () => {
    const { desk, sent, heard } = setUp({ isFlowing: (channel) => channel === 'a' });
    desk.subscribe('a');
    desk.subscribe('b');
    flush();
    vi.advanceTimersByTime(5000);
    expect(heard).toEqual(['+a']);
    expect(sent.map(({ params }) => params)).toEqual([['a', 'b'], ['b']]);
    vi.advanceTimersByTime(60_000);
    expect(heard).toEqual(['+a', '?b']);
    expect(sent.length).toBe(2);
  });

  it('takes back what was not sent', () => {
    const { desk, sent } = setUp();
    desk.subscribe('a');
    desk.subscribe('b');
    expect(desk.unsubscribe('a')).toBe(true);
    flush();
    expect(sent.map(({ params }) => params)).toEqual([['b']]);
    expect(desk.unsubscribe('b')).toBe(false);
    flush();
    expect(sent[1]).toMatchObject({ method: 'UNSUBSCRIPTION', params: ['b'] });
  });

  it('keeps subscribe, unsubscribe, subscribe of one channel in order', () => {
    const { desk, sent } = setUp();
    desk.subscribe('a');
    flush();
    desk.unsubscribe('a');
    desk.subscribe('a');
    flush();
    expect(sent.map(({ method }) => method)).toEqual(['SUBSCRIPTION', 'UNSUBSCRIPTION', 'SUBSCRIPTION']);
  });

  it('does not repeat a subscription that was given up meanwhile', () => {
    const { desk, sent, heard } = setUp();
    desk.subscribe('a');
    flush();
    desk.unsubscribe('a');
    vi.advanceTimersByTime(60_000);
    expect(sent.map(({ method }) => method)).toEqual(['SUBSCRIPTION', 'UNSUBSCRIPTION']);
    expect(heard).toEqual([]);
  });

  it('refuses a whole message on an error, and ignores answers to nothing', () => {
    const { desk, heard } = setUp();
    desk.subscribe('a');
    desk.subscribe('b');
    flush();
    desk.reject(1, '500 busy');
    desk.reject(1, '500 busy');
    desk.reject(77, 'x');
    desk.acknowledge(ack(77, ['a']));
    expect(heard).toEqual(['-a 500 busy', '-b 500 busy']);
  });

  it('leaves no timer behind', () => {
    const { desk } = setUp();
    desk.subscribe('a');
    flush();
    desk.subscribe('b');
    desk.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
