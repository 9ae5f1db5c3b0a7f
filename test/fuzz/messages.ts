import { once as event } from 'node:events';
import { connect } from 'node:net';
import { Prng } from '../../src/simulator/prng.js';
import { inLanes, once, pick } from './lanes.js';
import { Mutator } from './mutator.js';
import { oddMessage } from './odd-message.js';
import type { FuzzReport } from './report.js';
import { type Target, type Tell, underAttack } from './target.js';
import { FrameReader, fragments, frame, Opcode } from './ws-wire.js';

/** Messages of one connection: a client may send a hundred a second, its pings among them. */
const MESSAGES = 90;
/** A connection that says nothing for so long has forgotten its client. */
const SILENT_MS = 10_000;
/** What a server may close with: the protocol's own words for what was wrong with a frame, and ours for too many of them. */
const blames: ReadonlySet<number> = new Set([1002, 1003, 1007, 1009, 4029]);

const { CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG } = Opcode;
const HANDSHAKE =
  'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const FAREWELL = Buffer.from('the end');

/** What a frame has to lead to: one answer, nothing, the end of the connection with a code, or anything but a failure. */
type Due = 'answer' | 'nothing' | 'blame' | 'echo' | 'anything';

interface Act {
  readonly bytes: Buffer;
  readonly due: Due;
}

/**
 * Sends WebSocket messages and frames, nearly all of them broken, each connection a script of its own: JSON of odd values and shapes, sound messages with
 * bytes changed, binary ones, messages in pieces with control frames between them, and one frame against the protocol at the end. What must hold beside
 * what `underAttack` says: every message gets exactly one answer with a code or word of the protocol, every frame against the protocol a close code.
 */
export function fuzzMessages(count: number, seed: number, withLimits = false): Promise<FuzzReport> {
  return underAttack(count, withLimits, async (target, tell, done) => {
    await inLanes(count, async (lane, share) => {
      const random = new Prng(seed, `fuzz-messages-${lane}`);
      const mutator = new Mutator(random);
      for (let sent = 0; sent < share; ) {
        // With limits some send far more than they may.
        const most = withLimits && once(random, 4) ? MESSAGES * 4 : MESSAGES;
        const script = scriptOf(random, mutator, target, Math.min(share - sent, 1 + random.below(most)));
        await play(target, script, tell, withLimits);
        sent += script.length;
        for (let i = 0; i < script.length; i++) await done();
      }
    });
  });
}

function scriptOf(random: Prng, mutator: Mutator, { symbols }: Target, length: number): readonly Act[] {
  const acts = Array.from({ length: length - 1 }, () => act(random, mutator, symbols));
  return [...acts, lastAct(random, mutator, symbols)];
}

function act(random: Prng, mutator: Mutator, symbols: readonly string[]): Act {
  const text = Buffer.from(oddMessage(random, symbols));
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2: {
      // What is no UTF-8 would end the connection: see the last act.
      const changed = Buffer.from(Buffer.from(mutator.mutate(text, text)).toString(once(random, 4) ? 'latin1' : 'utf8'));
      return { bytes: frame(TEXT, changed), due: 'answer' };
    }
    case 3:
      return { bytes: frame(BINARY, mutator.mutate(text, text)), due: 'answer' };
    case 4: {
      const cuts = Array.from({ length: 1 + random.below(4) }, () => random.below(text.length + 1));
      return { bytes: fragments(once(random, 8) ? BINARY : TEXT, text, cuts, control(random)), due: 'answer' };
    }
    case 5:
      return { bytes: control(random), due: 'nothing' };
    default:
      return { bytes: frame(TEXT, text), due: 'answer' };
  }
}

/** A PONG nobody asked for, or nothing. */
function control(random: Prng): Buffer {
  return once(random, 2) ? Buffer.alloc(0) : frame(PONG, Buffer.alloc(random.below(126), 0x61));
}

function lastAct(random: Prng, mutator: Mutator, symbols: readonly string[]): Act {
  const text = Buffer.from(oddMessage(random, symbols));
  const code = (value: number, reason: Uint8Array = Buffer.alloc(0)): Buffer =>
    Buffer.concat([Buffer.from([value >> 8, value & 0xff]), reason]);
  const broken = Buffer.from([0xc3, 0x28, 0xed, 0xa0, 0x80, 0xff]);
  switch (random.below(14)) {
    case 0:
      return { bytes: frame(TEXT, text, { head: 0x81 | pick(random, [0x10, 0x20, 0x40, 0x70]) }), due: 'blame' };
    case 1:
      return { bytes: frame(pick(random, [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), text), due: 'blame' };
    case 2:
      return { bytes: frame(CONTINUATION, text), due: 'blame' };
    case 3:
      return { bytes: Buffer.concat([frame(TEXT, text, { fin: false }), frame(TEXT, text)]), due: 'blame' };
    case 4:
      return { bytes: frame(PING, text.subarray(0, 100), { fin: false }), due: 'blame' };
    case 5:
      return { bytes: frame(PING, Buffer.alloc(126 + random.below(1000))), due: 'blame' };
    case 6:
      return { bytes: frame(TEXT, Buffer.concat([text, broken.subarray(random.below(5))])), due: 'blame' };
    case 7:
      return { bytes: frame(CLOSE, code(pick(random, [0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 65_535]))), due: 'blame' };
    case 8:
      return { bytes: frame(CLOSE, once(random, 2) ? Buffer.alloc(1) : code(1000, broken)), due: 'blame' };
    case 9:
      return { bytes: frame(TEXT, Buffer.alloc(64 * 1024 + 1 + random.below(1000), 0x61)), due: 'blame' };
    case 10:
      return { bytes: Buffer.from([0x81, text.length & 0x7f, ...text]), due: 'blame' };
    case 11:
      return {
        bytes: frame(CLOSE, once(random, 2) ? Buffer.alloc(0) : code(pick(random, [1000, 1001, 3000, 4999]), text.subarray(0, 0))),
        due: 'echo',
      };
    default:
      return { bytes: Buffer.from(mutator.mutate(Buffer.concat([frame(TEXT, text), frame(TEXT, text)]), text)), due: 'anything' };
  }
}

interface Heard {
  answers: number;
  limited: boolean;
  closeCode: number | undefined;
  farewell: boolean;
  status: string;
}

async function play({ wsUrl }: Target, script: readonly Act[], tell: Tell, withLimits: boolean): Promise<void> {
  const due = script.filter((one) => one.due === 'answer').length;
  const last = script.at(-1)!;
  const heard = await converse(Number(new URL(wsUrl).port), script, tell);
  const { status, closeCode, answers, limited, farewell } = heard;
  const story = (what: string): string =>
    `${what}: ${Buffer.concat(script.map(({ bytes }) => bytes))
      .toString('base64')
      .slice(-4000)}`;
  if (status !== '101') {
    if (withLimits && (status === '429' || status === '')) tell(status === '' ? 'not let in' : status);
    else tell('no handshake', `answered the handshake with ${status}`);
    return;
  }
  if (closeCode !== undefined) tell(`ok closed ${closeCode}`, closeCode === 1011 ? story('closed with 1011') : undefined);
  if (limited) return;
  if (last.due === 'anything') {
    if (answers < due) tell('too few answers', story(`${answers} of ${due} answers`));
    return;
  }
  if (answers !== due) tell('another number of answers', story(`${answers} answers for ${due} messages, closed with ${closeCode}`));
  if (last.due === 'blame' && (closeCode === undefined || !blames.has(closeCode))) tell('no blame', story(`closed with ${closeCode}`));
  if (last.due === 'echo' && closeCode === undefined) tell('no echo', story('no answer to a close frame'));
  if (farewell) tell('still there', story('goes on after a frame against the protocol'));
}

/** Sends a script at once and a ping behind it, and reads until the engine has ended the connection. */
async function converse(port: number, script: readonly Act[], tell: Tell): Promise<Heard> {
  const heard: Heard = { answers: 0, limited: false, closeCode: undefined, farewell: false, status: '' };
  const socket = connect({ port, host: '127.0.0.1', timeout: SILENT_MS });
  socket.on('error', () => undefined);
  socket.on('timeout', () => socket.destroy());
  const reader = new FrameReader((opcode, payload) => {
    if (opcode === CLOSE) heard.closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    if (opcode === PONG && payload.equals(FAREWELL)) {
      heard.farewell = script.at(-1)!.due !== 'anything';
      socket.destroy();
    }
    if (opcode !== TEXT || payload.indexOf('{"op":') !== 0) return;
    const { op, code } = JSON.parse(payload.toString()) as { op: string; code?: string };
    if (code === 'RATE_LIMITED') heard.limited = true;
    heard.answers++;
    tell(op === 'error' ? `${code}` : `ok ${op}`, code === 'INTERNAL_ERROR' ? payload.toString() : undefined);
  });
  let head = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    if (heard.status !== '') return reader.read(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    heard.status = head.toString('latin1', 9, 12);
    if (heard.status === '101') reader.read(head.subarray(end + 4));
    else socket.destroy();
  });
  socket.write(HANDSHAKE);
  socket.write(Buffer.concat([...script.map(({ bytes }) => bytes), frame(PING, FAREWELL)]));
  // A length the last frame only claims would be waited for.
  if (script.at(-1)!.due === 'anything') socket.end();
  await event(socket, 'close');
  return heard;
}
