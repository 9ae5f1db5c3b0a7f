import { expect, it } from 'vitest';
import { corrupted } from '../../../src/simulator/corrupt-push.js';
import { decodePush, encodePush, type PushLevel } from '../../../src/simulator/push-codec.js';

const channel = 'spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT';

function push(asks: readonly PushLevel[], bids: readonly PushLevel[]): Uint8Array {
  return encodePush({
    channel,
    symbol: 'BTCUSDT',
    sendTime: 1_700_000_000_000,
    publicAggreDepths: { asks, bids, fromVersion: '7', toVersion: '9' },
  });
}

it('changes the quantity farthest from the touch, and nothing else', () => {
  const near = { price: '9.5', quantity: '2' };
  const far = { price: '10', quantity: '0.5' };
  const spoiled = decodePush(corrupted(push([far, near], [near])));
  expect(spoiled).toEqual(decodePush(push([{ price: '10', quantity: '10.5' }, near], [near])));
  expect(decodePush(corrupted(push([], [far, near])))).toEqual(decodePush(push([], [far, { price: '9.5', quantity: '12' }])));
});

it('leaves a push without levels as it is, and one of another kind', () => {
  const empty = push([], []);
  expect(corrupted(empty)).toEqual(empty);
  const other = encodePush({ channel: 'other', publicBookTicker: { bidPrice: '1' } });
  expect(corrupted(other)).toBe(other);
});
