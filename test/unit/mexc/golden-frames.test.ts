import { describe, expect, test } from 'vitest';

import { decodePush } from '../../../src/mexc/decode-push.js';
import { readCapturedFrames, readDecodedSamples, readGoldenFrames, readHex, readScenario, toProtobufJson } from '../../support/golden.js';
import { decodeBySchema, encodePush } from '../../support/mexc-schema.js';
import { readFrames, reencodedSessions } from '../../support/recorded.js';
import { sharedDir } from '../../support/shared.js';

describe.skipIf(!sharedDir)('golden frames (need ../shared)', () => {
  const { good, refused } = sharedDir ? readGoldenFrames() : { good: [], refused: [] };

  test('cover every public body but the single bookTicker', () => {
    const kinds = new Set(good.map(({ bytes }) => decodePush(bytes).body.kind));
    expect([...kinds].sort()).toEqual([
      'aggreBookTicker',
      'aggreDeals',
      'aggreDepths',
      'bookTickerBatch',
      'deals',
      'increaseDepths',
      'increaseDepthsBatch',
      'limitDepths',
      'miniTicker',
      'miniTickers',
      'spotKline',
    ]);
    expect([good.length, refused.length]).toEqual([22, 1]);
  });

  test.each(good)('$name decodes to the values beside it', ({ bytes, decoded }) => {
    expect(toProtobufJson(decodePush(bytes))).toEqual(decoded);
  });

  test.each(refused)('$name is refused', ({ bytes }) => {
    expect(() => decodePush(bytes)).toThrow(expect.objectContaining({ code: 'FRAME_TRUNCATED', details: { offset: 67, length: 500 } }));
  });

  test.each(sharedDir ? readScenario().steps : [])(
    'sequence/$file decodes to the values beside it',
    ({ file, fromVersion, toVersion, decoded }) => {
      const push = decodePush(readHex('mexc/frames/sequence', file));
      expect(toProtobufJson(push)).toEqual(decoded);
      expect(push.body).toMatchObject({ kind: 'aggreDepths', fromVersion, toVersion });
    },
  );
});

describe.skipIf(!sharedDir)('captured frames (need ../shared)', () => {
  const captured = sharedDir ? readCapturedFrames() : [];
  const samples = sharedDir ? readDecodedSamples() : [];

  test('are all there', () => expect([captured.length, samples.length]).toEqual([6, 4]));

  test.each(captured)('$name decodes to the values beside it', ({ bytes, decoded }) => {
    expect(toProtobufJson(decodePush(bytes))).toEqual(decoded);
  });

  test.each(samples)('$name, put into bytes by the schema, decodes to the same values', ({ decoded }) => {
    expect(toProtobufJson(decodePush(encodePush(decoded)))).toEqual(decoded);
  });
});

describe.skipIf(!sharedDir)('recorded sessions as frames (need ../shared)', () => {
  test('all 43,404 frames decode to what the schema makes of them', { timeout: 60_000 }, () => {
    let frames = 0;
    for (const session of reencodedSessions) {
      for (const line of readFrames(session)) {
        if (line.k !== 'ws') continue;
        frames++;
        const bytes = Buffer.from(line.b64, 'base64');
        const ours = JSON.stringify(sortKeys(toProtobufJson(decodePush(bytes))));
        const theirs = JSON.stringify(sortKeys(decodeBySchema(bytes)));
        // A plain comparison: building an assertion per frame would take longer than decoding them.
        if (ours !== theirs) expect(ours).toBe(theirs);
      }
    }
    expect(frames).toBe(43_404);
  });
});

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, item]) => [name, sortKeys(item)]),
  );
}
