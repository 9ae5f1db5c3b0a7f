import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeAck, parseControl } from '../../../src/mexc/acks.js';
import type { Ack } from '../../../src/mexc/acks.js';
import { sharedDir, sharedPath } from '../../support/shared.js';

const DEALS = 'spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT';
const DEPTH = 'spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT';
const NOPE = 'spot@public.aggre.depth.v3.api.pb@100ms@NOPEUSDT';

function ack(msg: string, id = 1): Ack {
  const frame = parseControl(JSON.stringify({ id, code: 0, msg }));
  if (frame.kind !== 'ack') throw new Error(`not an ack but ${frame.kind}`);
  return frame;
}

describe.skipIf(!sharedDir)('text frames as captured (needs ../shared)', () => {
  const frame = (name: string) => parseControl(readFileSync(sharedPath('mexc/frames/text', `${name}.reply.json`), 'utf8'));

  it.each([
    ['spot-ping', { kind: 'pong', id: 0 }],
    ['spot-subscribe-one', { kind: 'ack', id: 0, ok: [DEALS], refused: [] }],
    ['spot-subscribe-two-with-id', { kind: 'ack', id: 7, ok: [DEALS, DEPTH], refused: [] }],
    ['spot-unsubscribe', { kind: 'ack', id: 0, ok: [DEALS], refused: [] }],
    [
      'spot-subscribe-rejected',
      { kind: 'ack', id: 0, ok: [], refused: [{ channel: 'spot@public.deals.v3.api@BTCUSDT', reason: 'Blocked!' }] },
    ],
    ['spot-subscribe-partly-rejected', { kind: 'ack', id: 1753625926, ok: [DEALS], refused: [{ channel: NOPE, reason: 'Blocked!' }] }],
  ])('%s', (name, expected) => {
    expect(frame(name)).toEqual(expected);
  });
});

describe('parseControl', () => {
  it('reads a refusal with several channels, an ASCII colon and no reason', () => {
    expect(ack(`Not Subscribed successfully! [${DEALS},${NOPE}].  Reason: Blocked! `).refused).toEqual([
      { channel: DEALS, reason: 'Blocked!' },
      { channel: NOPE, reason: 'Blocked!' },
    ]);
    expect(ack(`Not Subscribed successfully! [${NOPE}].`).refused).toEqual([{ channel: NOPE, reason: '' }]);
  });

  it('reads two refusals with a reason each', () => {
    const { ok, refused } = ack(
      `Subscribed successful! [${DEALS}]. Not Subscribed successfully! [${DEPTH}].  Reason： Too many! Not Subscribed successfully! [${NOPE}].  Reason： Blocked! `,
    );
    expect(ok).toEqual([DEALS]);
    expect(refused).toEqual([
      { channel: DEPTH, reason: 'Too many!' },
      { channel: NOPE, reason: 'Blocked!' },
    ]);
  });

  it('reads a refusal of nobody', () => {
    expect(ack('Not Subscribed successfully! [].')).toEqual({ kind: 'ack', id: 1, ok: [], refused: [] });
    expect(ack('Not Subscribed successfully! [].  Reason： Blocked! ')).toEqual({ kind: 'ack', id: 1, ok: [], refused: [] });
  });

  it('keeps symbols outside ASCII whole', () => {
    const channel = 'spot@public.aggre.depth.v3.api.pb@100ms@币安人生USDT';
    expect(ack(channel).ok).toEqual([channel]);
    expect(ack(`Not Subscribed successfully! [${channel}].  Reason： Blocked! `).refused).toEqual([{ channel, reason: 'Blocked!' }]);
  });

  it('tells an error by its code', () => {
    expect(parseControl('{"id":3,"code":500,"msg":"busy"}')).toEqual({ kind: 'error', id: 3, code: 500, msg: 'busy' });
  });

  it.each(['', 'hello', '[]', 'null', '"PONG"', '{', '{"id":1', '\u0000'])('takes %j for unknown', (text) => {
    expect(parseControl(text)).toEqual({ kind: 'unknown', id: null, text });
  });

  it.each(['{"id":4,"code":0,"msg":"no subscription"}', '{"id":4,"code":0,"msg":""}', '{"id":4,"code":0}', '{"id":4,"msg":7}'])(
    'takes %j for unknown, with its id',
    (text) => {
      expect(parseControl(text)).toEqual({ kind: 'unknown', id: 4, text });
    },
  );
});

describe('judgeAck', () => {
  it('holds the answer against the request, in any order', () => {
    expect(judgeAck(ack(`${DEPTH},${DEALS}`), [DEALS, DEPTH])).toEqual({ accepted: [DEALS, DEPTH], refused: [], unnamed: [], foreign: [] });
  });

  it('names what the answer leaves out and what was never asked for', () => {
    expect(judgeAck(ack(`${DEPTH},${NOPE}`), [DEALS, DEPTH])).toEqual({
      accepted: [DEPTH],
      refused: [],
      unnamed: [DEALS],
      foreign: [NOPE],
    });
  });

  it('lets a refusal win over a success', () => {
    const verdict = judgeAck(
      ack(`Subscribed successful! [${DEALS},${NOPE}]. Not Subscribed successfully! [${NOPE}].  Reason： Blocked! `),
      [DEALS, NOPE],
    );
    expect(verdict).toMatchObject({ accepted: [DEALS], refused: [{ channel: NOPE, reason: 'Blocked!' }], unnamed: [] });
  });

  it('takes a refusal of nobody for a success', () => {
    expect(judgeAck(ack('Not Subscribed successfully! [].'), [DEALS])).toMatchObject({ accepted: [DEALS], refused: [] });
  });
});
