import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DepthDecode } from '../../src/mexc/decode-depth.js';
import { decodePush } from '../../src/mexc/decode-push.js';
import type { AggreDepths, Level, Push } from '../../src/mexc/messages.js';
import { CodedError } from '../../src/support/errors.js';
import {
  decimalsNeeded,
  type DecimalText,
  exactUnits,
  illegalNumbers,
  legalNumbers,
  parseDecimalText,
  TICK_LIMIT_EXACT,
} from '../support/decimal-text.js';
import { decodeFrame, depthFrame, levelBytes, plainLevel, type UnknownField, unknownField, wrapBody } from '../support/depth-frame.js';
import { decodeBySchema, encodePush } from '../support/mexc-schema.js';
import { bytesField, varintField } from '../support/push-frame.js';

/** For numbers of up to 14 digits: all are below 2^79 then, and some have too many decimals. */
const SCALE = 9;
const VERSION_LIMIT = 2 ** 53;
const scales = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 8 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 22 }) },
);

/** A level as the frame has it. */
interface Pair {
  readonly price: DecimalText;
  readonly quantity: DecimalText;
}

const pairs = fc.record({ price: legalNumbers, quantity: fc.oneof(legalNumbers, fc.constant(parseDecimalText('0')!)) });

/** What exact arithmetic says of one side, at a scale. */
function expectUnits(number: DecimalText, scale: number): { readonly units: number; readonly inexact: number } {
  const units = exactUnits(number, scale);
  return { units: Number(units), inexact: units >= 2n ** 53n ? 1 : 0 };
}

/** Checks a decoder's answer for sides of legal numbers against exact arithmetic. */
function checkNumbers(frame: Uint8Array, asks: readonly Pair[], bids: readonly Pair[], priceScale: number, quantityScale: number): void {
  const all = [...asks, ...bids];
  const priceNeeded = Math.max(priceScale, ...all.map(({ price }) => decimalsNeeded(price)));
  const quantityNeeded = Math.max(quantityScale, ...all.map(({ quantity }) => decimalsNeeded(quantity)));
  const tooLarge = all.some(({ price }) => Number(exactUnits(price, priceScale)) >= Number(TICK_LIMIT_EXACT));
  const { outcome, ...decoded } = decodeFrame(frame, priceScale, quantityScale);
  if (tooLarge) {
    expect(outcome).toBe(DepthDecode.BAD_NUMBER);
  } else if (priceNeeded > priceScale || quantityNeeded > quantityScale) {
    expect(outcome).toBe(DepthDecode.RESCALE);
    expect([decoded.delta.priceScaleNeeded, decoded.delta.quantityScaleNeeded]).toEqual([priceNeeded, quantityNeeded]);
    checkNumbers(frame, asks, bids, priceNeeded, quantityNeeded);
  } else {
    expect(outcome).toBe(DepthDecode.OK);
    let inexact = 0;
    for (const side of ['asks', 'bids'] as const) {
      const expected = (side === 'asks' ? asks : bids).map(({ price, quantity }) => {
        const [ticks, lots] = [expectUnits(price, priceScale), expectUnits(quantity, quantityScale)];
        inexact += ticks.inexact + lots.inexact;
        return [ticks.units, lots.units];
      });
      expect(decoded[side]).toEqual(expected);
    }
    expect(decoded.delta.inexactCount).toBe(inexact);
  }
}

test('any legal numbers come out as exact decimal arithmetic has them', () => {
  fc.assert(
    fc.property(
      fc.array(pairs, { maxLength: 6 }),
      fc.array(pairs, { maxLength: 6 }),
      scales,
      scales,
      (asks, bids, priceScale, quantityScale) => {
        const text = ({ price, quantity }: Pair): { price: string; quantity: string } => ({ price: price.text, quantity: quantity.text });
        const frame = encodePush({
          channel: 'spot@public.aggre.depth.v3.api.pb@10ms@X',
          publicAggreDepths: { asks: asks.map(text), bids: bids.map(text), fromVersion: '1', toVersion: '2' },
        });
        checkNumbers(frame, asks, bids, priceScale, quantityScale);
      },
    ),
    { numRuns: 3000 },
  );
});

const unknownFields: fc.Arbitrary<UnknownField> = fc.tuple(
  fc.oneof(fc.integer({ min: 7, max: 300 }), fc.integer({ min: 400, max: 2 ** 29 - 1 })),
  fc.constantFrom(0 as const, 1 as const, 2 as const, 5 as const),
  fc.oneof(fc.nat({ max: 500 }), fc.integer({ min: 0, max: 2 ** 50 })),
);
const strangers = fc.array(unknownFields, { maxLength: 2 });

/** A level in an odd shape: order, unknown fields anywhere, numbers said twice of which the last counts. */
const oddLevels = fc
  .record({ pair: pairs, turned: fc.boolean(), before: strangers, between: strangers, after: strangers, twice: fc.boolean() })
  .map(({ pair, turned, before, between, after, twice }) => {
    const price = ['price', pair.price.text] as const;
    const quantity = ['quantity', pair.quantity.text] as const;
    const others = (list: readonly UnknownField[]): (readonly ['unknown', UnknownField])[] =>
      list.map((field) => ['unknown', field] as const);
    const first = twice ? [['price', '0.0'] as const] : [];
    const [one, two] = turned ? [quantity, price] : [price, quantity];
    return { pair, bytes: levelBytes([...others(before), ...first, one, ...others(between), two, ...others(after)]) };
  });

test('the order of fields and unknown fields make no difference', () => {
  const shapes = fc.record({
    asks: fc.array(oddLevels, { maxLength: 4 }),
    bids: fc.array(oddLevels, { maxLength: 4 }),
    strangers: fc.array(unknownFields, { maxLength: 3 }),
    bodyKeys: fc.array(fc.nat({ max: 20 }), { minLength: 8, maxLength: 8 }),
    wrapperKeys: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
    sendTime: fc.option(fc.integer({ min: 0, max: 2 ** 53 - 1 })),
  });
  fc.assert(
    fc.property(shapes, scales, ({ asks, bids, strangers: unknown, bodyKeys, wrapperKeys, sendTime }, scale) => {
      // Levels of a side keep their order; everything else is shuffled between them.
      const fields = [
        ...unknown.map(unknownField),
        bytesField(3, 'eventType'),
        bytesField(4, '18'),
        bytesField(5, '19'),
        varintField(6, 1_754_741_322_152),
        ...asks.map(({ bytes }) => bytesField(1, bytes)),
        ...bids.map(({ bytes }) => bytesField(2, bytes)),
      ];
      const levels = fields.length - asks.length - bids.length;
      const places = fields.map((_, i) => (i < levels ? bodyKeys[i]! : i) + i / 1000);
      const body = Buffer.concat(
        fields
          .map((_, i) => i)
          .sort((a, b) => places[a]! - places[b]!)
          .map((i) => fields[i]!),
      );
      const wrapper = [
        bytesField(1, 'channel'),
        bytesField(3, 'SYMBOL'),
        bytesField(4, 'id'),
        varintField(5, 1),
        bytesField(313, body),
        ...(sendTime === null ? [] : [varintField(6, sendTime)]),
        ...unknown.slice(0, 1).map(unknownField),
      ];
      const frame = Buffer.concat(
        wrapper
          .map((_, i) => i)
          .sort((a, b) => wrapperKeys[a]! - wrapperKeys[b]!)
          .map((i) => wrapper[i]!),
      );
      const { delta } = decodeFrame(frame, 22, 22);
      expect(delta.exchangeTimeMs).toBe(sendTime ?? NaN);
      const pairsOf = (list: readonly { pair: Pair }[]): Pair[] => list.map(({ pair }) => pair);
      checkNumbers(frame, pairsOf(asks), pairsOf(bids), scale, scale);
    }),
    { numRuns: 1500 },
  );
});

describe('what is no plain decimal number', () => {
  test('is refused wherever it stands', () => {
    const bad = fc.constantFrom(...illegalNumbers);
    fc.assert(
      fc.property(
        fc.array(pairs, { maxLength: 4 }),
        bad,
        fc.boolean(),
        fc.nat({ max: 4 }),
        scales,
        (levels, text, isPrice, place, scale) => {
          const texts = levels.map(({ price, quantity }) => [price.text, quantity.text] as const);
          texts.splice(place, 0, isPrice ? [text, '1.5'] : ['1.5', text]);
          expect(decodeFrame(depthFrame({ asks: texts, from: 1 }), scale, scale).outcome).toBe(DepthDecode.BAD_NUMBER);
          expect(decodeFrame(depthFrame({ bids: texts, from: 1 }), scale, scale).outcome).toBe(DepthDecode.BAD_NUMBER);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('every byte at every place of a number of up to 14 characters', () => {
    const versions = Buffer.concat([bytesField(4, '1'), bytesField(5, '1')]);
    const number = Buffer.from('98765432109876');
    for (let length = 1; length <= 14; length++) {
      for (let place = 0; place < length; place++) {
        for (let byte = 0; byte < 256; byte++) {
          const text = Buffer.from(number.subarray(0, length));
          text[place] = byte;
          const meaning = parseDecimalText(text.toString('latin1'));
          const units = meaning === undefined ? NaN : Number(exactUnits(meaning, SCALE));
          let expected: DepthDecode = meaning === undefined ? DepthDecode.BAD_NUMBER : DepthDecode.OK;
          if (meaning !== undefined && decimalsNeeded(meaning) > SCALE) expected = DepthDecode.RESCALE;
          for (const isPrice of [true, false]) {
            const level = isPrice ? [bytesField(1, text), bytesField(2, '12')] : [bytesField(1, '12'), bytesField(2, text)];
            const { outcome, asks } = decodeFrame(wrapBody(Buffer.concat([bytesField(1, Buffer.concat(level)), versions])), SCALE, SCALE);
            // Plain comparisons: an assertion per number would take longer than all the rest.
            const right = outcome !== DepthDecode.OK || asks[0]![isPrice ? 0 : 1] === units;
            if (outcome !== expected || !right) expect([text.toString('latin1'), outcome, asks]).toEqual(['', expected, units]);
          }
        }
      }
    }
  });
});

// ---- against the other decoder

const words = fc.constantFrom('BTCUSDT', 'ETHUSDT', '币安人生USDT', 'spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDT', '');
/** Scales for the comparison: prices below 60 fit them whatever their decimals. */
const smallPairs = pairs.map(({ price, quantity }) => ({ price: parseDecimalText(price.text.replace(/^\d*(?=\d)/, ''))!, quantity }));
const frames = fc
  .record({
    channel: words,
    symbol: words,
    sendTime: fc.option(fc.integer({ min: 0, max: 2 ** 45 })),
    asks: fc.array(smallPairs, { maxLength: 5 }),
    bids: fc.array(smallPairs, { maxLength: 5 }),
    from: fc.nat(),
    more: fc.nat(),
  })
  .map(({ channel, symbol, sendTime, asks, bids, from, more }) => {
    const text = ({ price, quantity }: Pair): Level => ({ price: price.text, quantity: quantity.text });
    const body = { asks: asks.map(text), bids: bids.map(text), eventType: 'x', fromVersion: String(from), toVersion: String(from + more) };
    return encodePush({ channel, symbol, ...(sendTime === null ? {} : { sendTime }), publicAggreDepths: body });
  });

/** What is wrong with a body as text that the depth decoder must not take; `undefined` = nothing. */
function objection(body: AggreDepths): DepthDecode | undefined {
  const versions = [body.fromVersion, body.toVersion];
  if (versions.some((text = '') => !/^\d{1,40}$/.test(text) || Number(text) >= VERSION_LIMIT)) return DepthDecode.MALFORMED;
  if (Number(body.toVersion) < Number(body.fromVersion)) return DepthDecode.MALFORMED;
  for (const { price = '', quantity = '' } of [...body.asks, ...body.bids]) {
    const [p, q] = [parseDecimalText(price), parseDecimalText(quantity)];
    if (p === undefined || q === undefined || decimalsNeeded(p) > 22 || decimalsNeeded(q) > 22) return DepthDecode.BAD_NUMBER;
    if (Number(exactUnits(p, 22)) >= Number(TICK_LIMIT_EXACT)) return DepthDecode.BAD_NUMBER;
  }
  return undefined;
}

function readPush(frame: Uint8Array): Push | string {
  try {
    return decodePush(frame);
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
}

/** Parts of a push that a book does not need and the depth decoder does not look into. */
const ELSEWHERE = /UTF-8|wire type \d instead of|beyond 2\^53|longer than 64 bits/;

/** Compares the two decoders on any bytes, at scales that hold everything. */
function compare(frame: Uint8Array): 'both' | 'neither' | 'one' {
  const push = readPush(frame);
  const { outcome, asks, bids, delta } = decodeFrame(frame, 22, 22);
  if (typeof push === 'string') {
    if (outcome !== DepthDecode.OK) return 'neither';
    // Of two bodies in one push, which no encoder writes, only the last depth body is looked into.
    if (countBodies(frame) < 2) expect(push).toMatch(ELSEWHERE);
    return 'one';
  }
  const { body } = push;
  if (outcome === DepthDecode.OK) {
    if (body.kind !== 'aggreDepths') {
      // Two bodies in one push: the last one counts, and a depth body is not the last.
      expect(countDepthBodies(frame)).toBeGreaterThan(0);
      return 'one';
    }
    const units = (levels: readonly Level[]): number[][] =>
      levels.map(({ price, quantity }) => [price, quantity].map((text) => Number(exactUnits(parseDecimalText(text!)!, 22))));
    expect([asks, bids]).toEqual([units(body.asks), units(body.bids)]);
    expect([delta.fromVersion, delta.toVersion]).toEqual([Number(body.fromVersion), Number(body.toVersion)]);
    expect(delta.exchangeTimeMs).toBe(push.sendTime ?? NaN);
    return 'both';
  }
  if (body.kind !== 'aggreDepths') {
    expect([DepthDecode.NOT_DEPTH, DepthDecode.MALFORMED]).toContain(outcome);
    return 'neither';
  }
  const objected = objection(body);
  if (objected === undefined && isCanonical(frame, push)) expect(`${JSON.stringify(push)} was refused with ${outcome}`).toBe('');
  return 'one';
}

/** How often the tag of any body (fields 256 … 511) stands in a frame, or bytes that look like it. */
function countBodies(frame: Uint8Array): number {
  return frame.filter((byte, i) => (byte & 0x87) === 0x82 && frame[i + 1]! >> 4 === 1).length;
}

/** The same for the depth body. */
function countDepthBodies(frame: Uint8Array): number {
  return Buffer.from(frame).toString('latin1').split('\u00ca\u0013').length - 1;
}

/** Whether an encoder could have written these bytes: the same fields, encoded again, are as long. */
function isCanonical(frame: Uint8Array, push: Push): boolean {
  const { body, ...wrapper } = push;
  const { kind: _, ...fields } = body;
  const again = encodePush({ ...wrapper, publicAggreDepths: fields });
  return again.length === frame.length && JSON.stringify(decodeBySchema(again)) === JSON.stringify(decodeBySchema(frame));
}

describe('beside the decoder of all pushes', () => {
  test('a depth push means the same to both', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const push = decodePush(frame);
        expect(compare(frame)).toBe(push.body.kind === 'aggreDepths' && objection(push.body) === undefined ? 'both' : 'one');
      }),
      { numRuns: 500 },
    );
  });

  test('damaged bytes mean the same to both, or are refused', () => {
    const damages = fc.array(
      fc.record({
        kind: fc.constantFrom('set', 'flip', 'insert', 'remove', 'cut', 'double'),
        place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        byte: fc.nat({ max: 255 }),
      }),
      { minLength: 1, maxLength: 3 },
    );
    const seen = { both: 0, neither: 0, one: 0 };
    fc.assert(
      fc.property(frames, damages, (frame, list) => {
        let bytes = [...frame];
        for (const { kind, place, byte } of list) {
          const at = Math.floor(place * bytes.length);
          if (kind === 'set') bytes[at] = byte;
          else if (kind === 'flip') bytes[at]! ^= 1 << (byte & 7);
          else if (kind === 'insert') bytes.splice(at, 0, byte);
          else if (kind === 'remove') bytes.splice(at, 1);
          else if (kind === 'cut') bytes = bytes.slice(0, at);
          else bytes.splice(at, 0, ...bytes.slice(at, at + (byte & 31)));
        }
        seen[compare(Uint8Array.from(bytes))]++;
      }),
      { numRuns: 6000 },
    );
    // The comparison is worth nothing when all of one kind.
    expect(Math.min(seen.both, seen.neither)).toBeGreaterThan(150);
  });

  test('every truncation is refused', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        for (let length = 0; length < frame.length; length++) {
          expect([DepthDecode.TRUNCATED, DepthDecode.MALFORMED]).toContain(decodeFrame(frame.subarray(0, length), 22, 22).outcome);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('arbitrary bytes are never taken', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect([DepthDecode.TRUNCATED, DepthDecode.MALFORMED, DepthDecode.NOT_DEPTH]).toContain(decodeFrame(bytes, 2, 2).outcome);
        compare(Buffer.concat([wrapBody(Buffer.concat([bytesField(1, plainLevel('1', '2')), bytes]))]));
      }),
      { numRuns: 2000 },
    );
  });
});
