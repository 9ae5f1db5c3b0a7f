import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodePush } from '../../../src/mexc/decode-push.js';
import { CodedError } from '../../../src/support/errors.js';
import { readCapturedFrames, readGoldenFrames, toProtobufJson } from '../../support/golden.js';
import { bodyNames, bodyType, decodeBySchema, encodePush } from '../../support/mexc-schema.js';
import { sharedDir } from '../../support/shared.js';

/** A frame from hexadecimal digits; blanks are for the eye. */
function frame(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function thrownBy(bytes: Uint8Array): unknown {
  try {
    decodePush(bytes);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('decodePush', () => {
  test('keeps absent fields absent and lists empty', () => {
    expect(decodePush(frame(''))).toStrictEqual({ body: { kind: 'none' } });
    expect(decodePush(frame('ca13 00'))).toStrictEqual({ body: { kind: 'aggreDepths', asks: [], bids: [] } });
    expect(decodePush(frame('ca13 02 0a00'))).toStrictEqual({ body: { kind: 'aggreDepths', asks: [{}], bids: [] } });
    expect(decodePush(frame('8a13 02 0a00'))).toStrictEqual({ body: { kind: 'bookTicker', bidPrice: '' } });
  });

  test('takes fields in any order, and the last of a field sent twice', () => {
    const push = decodePush(frame('da13 08 2a0139 2a0138 3007  3003 3005  1a0142 1a0143  0a0178'));
    expect(push).toStrictEqual({
      channel: 'x',
      symbol: 'C',
      sendTime: 5,
      body: { kind: 'aggreBookTicker', version: '8', lastOrderCreateTime: 7 },
    });
  });

  test('takes the last of several bodies', () => {
    expect(decodePush(frame('ca13 00 d213 00')).body).toStrictEqual({ kind: 'aggreDeals', deals: [] });
    expect(decodePush(frame('d213 00 ca13 03 220131')).body).toStrictEqual({ kind: 'aggreDepths', asks: [], bids: [], fromVersion: '1' });
  });

  test('names a body it does not know, and prefers one that it knows', () => {
    // 304 is a private body, 316 does not exist yet.
    expect(decodePush(frame('8213 020801')).body).toStrictEqual({ kind: 'unknown', field: 304 });
    expect(decodePush(frame('e213 00')).body).toStrictEqual({ kind: 'unknown', field: 316 });
    expect(decodePush(frame('ca13 00 e213 00')).body.kind).toBe('aggreDepths');
    expect(decodePush(frame('e213 00 ca13 00')).body.kind).toBe('aggreDepths');
    // A new number outside the bodies' range, or no message at all, is no body.
    expect(decodePush(frame('a206 00')).body.kind).toBe('none');
    expect(decodePush(frame('e013 01')).body.kind).toBe('none');
  });

  test('passes over unknown fields of every wire type, at every depth', () => {
    const unknown = '9801 ac02  9901 0102030405060708  9a01 03 78797a  9d01 01020304';
    const level = `0a0135 ${unknown} 120137`;
    const bytes = frame(
      `0a0178 ${unknown} ca13 ${length(`${unknown} 0a ${length(level)} ${level}`)} ${unknown} 0a ${length(level)} ${level} ${unknown}`,
    );
    // The trailing unknown fields belong to the wrapper.
    expect(decodePush(bytes)).toStrictEqual({
      channel: 'x',
      body: { kind: 'aggreDepths', asks: [{ price: '5', quantity: '7' }], bids: [] },
    });
  });

  test('reads whole numbers up to 2^53 either way', () => {
    expect(decodePush(frame('30 ffffffffffffff0f')).sendTime).toBe(Number.MAX_SAFE_INTEGER);
    expect(decodePush(frame('30 ffffffffffffffffff01')).sendTime).toBe(-1);
    expect(decodePush(frame('30 8080808010')).sendTime).toBe(2 ** 32);
    // Longer than needed, but a legal varint.
    expect(decodePush(frame('30 8580808000')).sendTime).toBe(5);
    expect(thrownBy(frame('30 8080808080808010'))).toMatchObject({ code: 'FRAME_MALFORMED', details: { offset: 1 } });
    expect(thrownBy(frame('30 80808080808080808001'))).toMatchObject({ code: 'FRAME_MALFORMED' });
  });

  test.each([
    ['a tag without a value', '0a', 1],
    ['half a tag', 'ca', 0],
    ['half a varint', '30 80', 1],
    ['a length past the end', '0a 05 6162', 1],
    ['a length near 2^63', '0a ffffffffffffffff7f 61', 1],
    ['a body past the end', 'ca13 05 0a 03', 2],
    ['half a fixed64', '9901 01020304', 2],
    ['half a fixed32', '9d01 0102', 2],
  ])('refuses %s as truncated', (_, hex, offset) => {
    const error = thrownBy(frame(hex));
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ code: 'FRAME_TRUNCATED', details: { offset } });
  });

  test.each([
    ['a start of a group', '9b01 9c01', 2],
    ['an end of a group', '0c', 1],
    ['wire type 6', '0e', 1],
    ['wire type 7', '0f', 1],
    ['field number 0', '00 01', 0],
    ['a tag of more than 32 bits', '8a80808010 00', 0],
    ['a tag of six bytes', '8a8080808000 00', 0],
    ['a varint of 11 bytes', '30 8080808080808080808001', 1],
    ['a varint of more than 64 bits', '30 80808080808080808002', 1],
    ['a known text as a number', '08 01', 1],
    ['a known number as a text', '32 0131', 1],
    ['a body that is no message', 'c813 01', 2],
    ['a level that is no message', 'ca13 02 0801 0a00', 4],
    ['a level longer than its body', 'ca13 02 0a05 0a03313233', 4],
    ['a price longer than its level', 'ca13 05 0a02 0a05 61 0a00', 6],
    ['text that is not UTF-8', '0a 02 c328', 2],
    ['text with half a character', '0a 02 e5b8', 2],
    ['text with a surrogate', '0a 03 eda080', 2],
  ])('refuses %s as malformed', (_, hex, offset) => {
    const error = thrownBy(frame(hex));
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ code: 'FRAME_MALFORMED', details: { offset } });
  });

  test('reads from a view in the middle of a larger buffer', () => {
    const bytes = frame('ffff 0a0178 3005 ffff');
    expect(decodePush(bytes.subarray(2, 7))).toStrictEqual({ channel: 'x', sendTime: 5, body: { kind: 'none' } });
  });

  test('keeps non-ASCII symbols', () => {
    const bytes = encodePush({ channel: 'spot@public.aggre.depth.v3.api.pb@100ms@龙虾USDT', symbol: '龙虾USDT', publicAggreDepths: {} });
    expect(decodePush(bytes)).toMatchObject({ symbol: '龙虾USDT', channel: 'spot@public.aggre.depth.v3.api.pb@100ms@龙虾USDT' });
  });
});

/** The bytes of `hex` as one hexadecimal length byte. */
function length(hex: string): string {
  return frame(hex).length.toString(16).padStart(2, '0');
}

describe('decodePush against the schema', () => {
  test('any message the schema can encode decodes to the same values', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(anyPush(), (push) => {
        const bytes = encodePush(push);
        expect(toProtobufJson(decodePush(bytes))).toEqual(decodeBySchema(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  test('every public body is in the schema', () => {
    expect(bodyNames).toHaveLength(12);
    for (const name of bodyNames) expect(toProtobufJson(decodePush(encodePush({ [name]: {} })))).toEqual({ [name]: {} });
  });
});

/** Any push in protobuf's JSON shape, fields missing at random, built from the schema itself. */
function anyPush(): fc.Arbitrary<Record<string, unknown>> {
  const header = fc.record(
    { channel: anyText(), symbol: anyText(), symbolId: anyText(), createTime: anyTime(), sendTime: anyTime() },
    { requiredKeys: [] },
  );
  const bodies = bodyNames.map((name) => anyMessage(name).map((value) => ({ [name]: value })));
  return fc.tuple(header, fc.oneof(fc.constant({}), ...bodies)).map(([fields, body]) => ({ ...fields, ...body }));
}

function anyMessage(body: string): fc.Arbitrary<Record<string, unknown>> {
  const build = (type: ReturnType<typeof bodyType>): fc.Arbitrary<Record<string, unknown>> => {
    const fields = type.fieldsArray.map((field) => {
      const nested = field.resolve().resolvedType;
      const scalar = field.type === 'int64' ? anyTime() : field.type === 'int32' ? fc.integer() : anyText();
      const value: fc.Arbitrary<unknown> = nested === null ? scalar : build(nested as ReturnType<typeof bodyType>);
      return [field.name, field.repeated ? fc.array(value, { maxLength: 5 }) : value];
    });
    return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] });
  };
  return build(bodyType(body));
}

function anyText(): fc.Arbitrary<string> {
  return fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^\d{1,20}(\.\d{1,20})?$/));
}

function anyTime(): fc.Arbitrary<number> {
  return fc.maxSafeInteger();
}

describe.skipIf(!sharedDir)('decodePush on damaged frames (need ../shared)', () => {
  const frames = sharedDir ? [...readGoldenFrames().good, ...readCapturedFrames()] : [];

  test('every prefix of every golden frame decodes or is refused with a code', { timeout: 60_000 }, () => {
    for (const { name, bytes } of frames) {
      for (let size = 0; size < bytes.length; size++) {
        const error = thrownBy(bytes.subarray(0, size));
        if (error === undefined) continue;
        // Cut frames are never taken for damaged ones.
        if (!(error instanceof CodedError) || error.code !== 'FRAME_TRUNCATED')
          throw new Error(`${name}, first ${size} bytes`, { cause: error });
      }
    }
  });

  test('any change of bytes decodes or is refused with a code', { timeout: 60_000 }, () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...frames), damage, fc.nat(), ({ bytes }, changes, cut) => {
        const damaged = bytes.slice(cut % 4 === 0 ? cut % bytes.length : 0);
        for (const [position, value] of changes) damaged[position % damaged.length] = value;
        const error = thrownBy(damaged);
        if (error !== undefined) {
          refused++;
          expect(error).toBeInstanceOf(CodedError);
          expect(['FRAME_TRUNCATED', 'FRAME_MALFORMED']).toContain((error as CodedError).code);
        }
      }),
      { numRuns: 10_000 },
    );
    expect(refused).toBeGreaterThan(1_000);
  });

  test('any bytes at all decode or are refused with a code', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const error = thrownBy(bytes);
        if (error !== undefined) expect(error).toBeInstanceOf(CodedError);
      }),
      { numRuns: 10_000 },
    );
  });
});
