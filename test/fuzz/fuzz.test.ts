import { expect, test } from 'vitest';
import { fuzzFrames } from './frames.js';
import { fuzzMessages } from './messages.js';
import { fuzzPayloads } from './payloads.js';
import { fuzzRequests } from './requests.js';

test('broken inputs of the exchange are refused, and change no book', { timeout: 120_000 }, async () => {
  const { refused, findings } = await fuzzFrames(8_000, 1);
  expect(findings).toEqual([]);
  expect(refused).toBeGreaterThan(1_000);
});

test.each([
  ['WebSocket messages', fuzzMessages],
  ['HTTP requests', fuzzRequests],
  ['gRPC payloads', fuzzPayloads],
] as const)('broken %s get an answer and hurt nobody', { timeout: 120_000 }, async (_, fuzz) => {
  const { refused, findings } = await fuzz(200, 1);
  expect(findings).toEqual([]);
  expect(refused).toBeGreaterThan(10);
});
