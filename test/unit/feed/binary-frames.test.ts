import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BinaryFrames } from '../../../src/feed/binary-frames.js';

/** A frame as it is on the wire, header included. */
function frame(first: number, payload: Uint8Array, mask = false): Buffer {
  const { length } = payload;
  const bit = mask ? 0x80 : 0;
  const header =
    length < 126
      ? [first, bit | length]
      : length < 65_536
        ? [first, bit | 126, length >> 8, length & 0xff]
        : [first, bit | 127, 0, 0, 0, 0, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from(header), Buffer.alloc(mask ? 4 : 0), payload]);
}

const bytes = (length: number, seed = 1): Buffer => Buffer.from(Array.from({ length }, (_, i) => (seed * 31 + i) & 0xff));
const BINARY = 0x82;
const TEXT = 0x81;

/** What was handed over: `m` a message's payload, `w` bytes for `ws`, in order. */
function run(pieces: readonly Buffer[]): { readonly handed: string[]; readonly forWs: Buffer } {
  const handed: string[] = [];
  const forWs: Buffer[] = [];
  const frames = new BinaryFrames(
    (message, start, end) => handed.push(`m ${message.toString('hex', start, end)}`),
    (rest) => {
      handed.push(`w ${rest.toString('hex')}`);
      forWs.push(rest);
    },
  );
  // All of them are read into the same memory.
  const memory = Buffer.alloc(pieces.reduce((most, piece) => Math.max(most, piece.length), 0) + 8, 0x82);
  for (const piece of pieces) {
    piece.copy(memory);
    frames.take(memory, piece.length);
    memory.fill(0x82);
  }
  return { handed, forWs: Buffer.concat(forWs) };
}

describe('in one piece', () => {
  test.each([0, 1, 125, 126, 200, 65_535, 65_536, 70_000])('a binary message of %i bytes is handed over as it lies there', (length) => {
    const whole = frame(BINARY, bytes(length));
    const seen: Buffer[] = [];
    const frames = new BinaryFrames(
      (message, start, end) => seen.push(message.subarray(start, end)),
      () => expect.unreachable(),
    );
    frames.take(whole);
    expect(seen).toEqual([bytes(length)]);
    expect(seen[0]!.buffer).toBe(whole.buffer);
  });

  test('control and text frames go to ws, in order', () => {
    const ping = frame(0x89, bytes(3));
    const text = frame(TEXT, Buffer.from('{}'));
    const { handed } = run([Buffer.concat([frame(BINARY, bytes(2)), ping, frame(BINARY, bytes(2, 2)), text])]);
    expect(handed).toEqual([
      `m ${bytes(2).toString('hex')}`,
      `w ${ping.toString('hex')}`,
      `m ${bytes(2, 2).toString('hex')}`,
      `w ${text.toString('hex')}`,
    ]);
  });

  test('fragments go to ws, with whatever comes between them', () => {
    const parts = [frame(0x02, bytes(5)), frame(0x89, bytes(1)), frame(0x00, bytes(5)), frame(0x80, bytes(5))];
    const { handed, forWs } = run([Buffer.concat([...parts, frame(BINARY, bytes(1))])]);
    expect(forWs).toEqual(Buffer.concat(parts));
    expect(handed.at(-1)).toBe(`m ${bytes(1).toString('hex')}`);
  });

  test.each([
    { what: 'masked', broken: frame(BINARY, bytes(5), true) },
    { what: 'with an extension bit', broken: frame(0xc2, bytes(5)) },
    { what: 'of no known kind', broken: frame(0x83, bytes(5)) },
    { what: 'of no known control kind', broken: frame(0x8b, bytes(5)) },
    { what: 'that goes on with nothing', broken: frame(0x80, bytes(5)) },
    { what: 'of control in pieces', broken: frame(0x09, bytes(5)) },
    { what: 'of control that is too long', broken: frame(0x89, bytes(126)) },
  ])('a frame $what goes to ws, which knows what to do, and nothing behind it is a message', ({ broken }) => {
    expect(run([Buffer.concat([broken, frame(BINARY, bytes(3))]), frame(BINARY, bytes(3))])).toEqual({
      handed: [`w ${broken.toString('hex')}`],
      forWs: broken,
    });
  });

  test('a message between the fragments of another is a breach, too', () => {
    const parts = [frame(0x02, bytes(5)), frame(BINARY, bytes(3))];
    const { handed, forWs } = run([Buffer.concat([...parts, frame(BINARY, bytes(1))])]);
    expect([handed.length, forWs]).toEqual([2, Buffer.concat(parts)]);
  });

  test('nothing that follows a close frame is looked at', () => {
    const close = frame(0x88, bytes(2));
    expect(run([Buffer.concat([close, frame(BINARY, bytes(2))]), frame(BINARY, bytes(2))]).handed).toEqual([`w ${close.toString('hex')}`]);
  });
});

describe('in pieces', () => {
  const kinds = fc.constantFrom(BINARY, BINARY, BINARY, TEXT, 0x89);
  const streams = fc.array(fc.tuple(kinds, fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 300 }))), { maxLength: 12 });

  test('however the stream is cut, each frame comes once, whole, and in order', () => {
    fc.assert(
      fc.property(streams, fc.array(fc.nat({ max: 90 }), { minLength: 1 }), (list, cuts) => {
        const lengthOf = ([first, length]: readonly [number, number]): number => (first === 0x89 ? length % 126 : length);
        const sent = list.map((each, i) => frame(each[0], bytes(lengthOf(each), i + 1)));
        const stream = Buffer.concat(sent);
        const pieces: Buffer[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = 1 + cuts[i % cuts.length]!;
          pieces.push(stream.subarray(at, at + size));
          at += size;
        }
        // Put together again what went to `ws`, in its place.
        const { handed } = run(pieces);
        let at = 0;
        let pending = '';
        const check = (text: string): void => {
          pending += text;
          while (at < sent.length && pending.startsWith(sent[at]!.toString('hex'))) pending = pending.slice(2 * sent[at++]!.length);
        };
        for (const entry of handed) {
          if (entry.startsWith('w ')) {
            check(entry.slice(2));
            continue;
          }
          expect(pending).toBe('');
          expect(sent[at]![0]).toBe(BINARY);
          expect(entry).toBe(`m ${bytes(lengthOf(list[at]!), at + 1).toString('hex')}`);
          at++;
        }
        expect([at, pending]).toEqual([sent.length, '']);
      }),
    );
  });
});
