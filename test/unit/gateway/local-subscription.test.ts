import { beforeEach, expect, test } from 'vitest';
import { type LocalSubscription, type PushMessage, subscribeLocally } from '../../../src/gateway/local-subscription.js';
import { MessageKind } from '../../../src/model/publication.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { deliver, FakeMarketData, FakePort } from '../../support/fake-market-data.js';

let market: FakeMarketData;
let port: FakePort;
let hub: PublicationHub;

beforeEach(() => {
  market = new FakeMarketData();
  market.addLive('BTCUSDT');
  port = new FakePort();
  hub = new PublicationHub(port);
});

function subscribe(listener: (message: PushMessage) => void): LocalSubscription {
  return subscribeLocally({ market, hub }, { channel: 'book', symbols: ['BTCUSDT'] }, listener);
}

/** Delivers messages 1 to `count`, a turn each; listeners are told in between. */
async function push(count: number): Promise<void> {
  const { publicationId } = port.opened()[0]!;
  for (let seq = 1; seq <= count; seq++) {
    deliver(hub, publicationId, seq === 1 ? MessageKind.SNAPSHOT : MessageKind.DELTA, { seq });
    hub.flush();
    await Promise.resolve();
  }
}

test('a listener may close its subscription, and nobody else misses a message', async () => {
  const told: Record<'a' | 'b' | 'c', unknown[]> = { a: [], b: [], c: [] };
  const closes = subscribe(({ seq }) => {
    told.a.push(seq);
    if (seq === 2) closes.close();
  });
  subscribe(({ seq }) => void told.b.push(seq));
  subscribe(({ seq }) => void told.c.push(seq));
  await push(4);
  expect(told).toEqual({ a: [1, 2], b: [1, 2, 3, 4], c: [1, 2, 3, 4] });
});

test('a listener that is told that its symbol ended may close another subscription', async () => {
  const ended: unknown[] = [];
  const first = subscribe(({ code }) => {
    ended.push(code);
    second.close();
  });
  const second = subscribe(({ code }) => void ended.push(code));
  hub.symbolUntracked(market.symbol('BTCUSDT').id);
  await Promise.resolve();
  expect(ended).toEqual(['SYMBOL_UNTRACKED']);
  first.close();
});

test('a listener may subscribe', async () => {
  const told: unknown[] = [];
  subscribe(({ seq }) => {
    if (seq === 2) subscribe((message) => void told.push(message['seq']));
  });
  await push(4);
  // Its snapshot was not made here.
  expect(told).toEqual([]);
  expect(port.calls.filter(({ call }) => call === 'requestSnapshot')).toHaveLength(1);
});
