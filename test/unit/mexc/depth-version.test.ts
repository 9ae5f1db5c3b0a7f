import { expect, test } from 'vitest';
import { depthVersion } from '../../../src/mexc/depth-version.js';
import { depthFrame } from '../../support/depth-frame.js';

const frame = depthFrame({ from: 4_511_500_001, to: 4_511_500_007, bids: [['99.5', '1']], asks: [['100', '2']], sendTime: 5 });

test('is the last version a push of depth covers, wherever it lies', () => {
  const around = Buffer.concat([Buffer.alloc(3, 0xff), frame, Buffer.alloc(3, 0xff)]);
  expect(depthVersion(around, 3, 3 + frame.length)).toBe(4_511_500_007);
});

test.each([
  ['that is cut', frame.subarray(0, frame.length - 1)],
  ['without a version', depthFrame({ from: 1, to: NaN })],
  ['of text', Buffer.from('{"c":"spot@public.increase.depth.v3.api@BTCUSDT","d":{"version":"7"}}')],
  ['that is empty', new Uint8Array(0)],
  ['that is none', Buffer.alloc(40, 0xff)],
])('is not known of a push %s', (_, bytes) => {
  expect(depthVersion(bytes, 0, bytes.length)).toBe(-1);
});
