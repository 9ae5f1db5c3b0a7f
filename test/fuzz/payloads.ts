import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { status as Status } from '@grpc/grpc-js';
import { Prng } from '../../src/simulator/prng.js';
import { inLanes, once, pick } from './lanes.js';
import { Mutator } from './mutator.js';
import { framed, http2Bytes, methods, oddPayload, PREFACE, SERVICE } from './odd-payload.js';
import type { FuzzReport } from './report.js';
import { type Done, type Target, type Tell, underAttack } from './target.js';

/** Calls of a connection at a time, and in all. */
const IN_FLIGHT = 4;
const CALLS = 2_000;
/** A call without an answer for so long is forgotten. */
const LOST_MS = 10_000;
/** For connections of broken bytes: what they claim may be waited for. */
const IDLE_MS = 50;

const OK: number = Status.OK;
/** What only a server that failed says. */
const failures: ReadonlySet<number> = new Set([Status.UNKNOWN, Status.INTERNAL, Status.DATA_LOSS, Status.DEADLINE_EXCEEDED]);

/**
 * Sends gRPC calls, nearly all of them broken: payloads of every method with odd fields and changed bytes, one in ten behind a wrong length, flag or header,
 * and connections of which the very frames of HTTP/2 are. What must hold beside what `underAttack` says: a payload behind its right length has an answer,
 * or a status with a code.
 */
export function fuzzPayloads(count: number, seed: number, withLimits = false): Promise<FuzzReport> {
  return underAttack(count, withLimits, async (target, tell, done) => {
    await inLanes(count, async (lane, share) => {
      const random = new Prng(seed, `fuzz-payloads-${lane}`);
      const mutator = new Mutator(random);
      for (let sent = 0; sent < share; ) {
        const calls = Math.min(share - sent, 1 + random.below(CALLS));
        await connection(target, random, mutator, calls, tell, done, withLimits);
        sent += calls;
      }
    });
  });
}

async function connection(
  target: Target,
  random: Prng,
  mutator: Mutator,
  calls: number,
  tell: Tell,
  done: Done,
  withLimits: boolean,
): Promise<void> {
  const session = connect(`http://${target.grpc}`);
  session.on('error', () => undefined);
  let left = calls;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const method = pick(random, methods);
      const payload = oddPayload(random, mutator, method, target.symbols);
      if (once(random, 40)) {
        await rawConnection(target, Buffer.from(mutator.mutate(http2Bytes(method, payload), http2Bytes(method, payload))), tell);
      } else if (session.destroyed || session.closed) {
        tell('no connection', withLimits ? undefined : 'the connection was ended');
      } else if (once(random, 10)) {
        // All that is asked of these is that the engine does not fail.
        const { code } = await call(session, method, brokenBody(random, payload), brokenHeaders(random));
        tell(`framing ${code}`, undefined);
      } else {
        const { code, word } = await call(session, method, framed(payload), {});
        const isFinding = failures.has(code) || (code !== OK && word === undefined) || word === 'INTERNAL_ERROR';
        const name = code === OK ? 'ok' : `${Status[code] ?? 'no status'} ${word}`;
        tell(name, isFinding && !withLimits ? `${method} ${name}: ${payload.toString('base64')}` : undefined);
      }
      await done();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  session.destroy();
}

/** A message whose length, flag or number is wrong. */
function brokenBody(random: Prng, payload: Buffer): Buffer {
  switch (random.below(8)) {
    case 0:
      return framed(payload, 1);
    case 1:
      return framed(payload, 2 + random.below(254));
    case 2:
      return framed(payload, 0, pick(random, [payload.length + 1, 0, 64 * 1024 + 1, 2 ** 31, 2 ** 32 - 1]));
    case 3:
      return Buffer.concat([framed(payload), framed(payload)]);
    case 4:
      return framed(payload).subarray(0, random.below(payload.length + 5));
    case 5:
      return Buffer.concat([framed(payload), payload]);
    case 6:
      return framed(Buffer.alloc(pick(random, [64 * 1024, 64 * 1024 + 1, 200_000]), 0x0a));
    default:
      return framed(payload);
  }
}

function brokenHeaders(random: Prng): Record<string, string> {
  return pick<Record<string, string>>(random, [
    {},
    {},
    { 'grpc-encoding': pick(random, ['gzip', 'deflate', 'snappy', '', 'x'.repeat(1000)]) },
    { 'grpc-timeout': pick(random, ['0n', '1m', '99999999H', 'x', '-1S', '1', '999999999999S']) },
    { 'content-type': pick(random, ['application/grpc+json', 'text/plain', '', 'application/grpc;;']) },
    {
      ':path': pick(random, [
        `${SERVICE}Nothing`,
        '/',
        '*',
        `${SERVICE}%00`,
        '/grpc.health.v1.Health/Check',
        '/grpc.health.v1.Health/Watch',
        '/x'.repeat(2000),
      ]),
    },
    { ':path': `/grpc.reflection.${pick(random, ['v1', 'v1alpha'])}.ServerReflection/ServerReflectionInfo` },
    { ':method': pick(random, ['GET', 'PUT', 'OPTIONS', 'X']) },
    { 'x-bin': 'AAA', 'grpc-trace-bin': '!!!', 'user-agent': 'x'.repeat(4000) },
    { authorization: 'Bearer \u00ff', 'x-api-key': '' },
  ]);
}

interface Outcome {
  /** Of gRPC; -1 = none. */
  readonly code: number;
  /** The `code` of the trailing metadata. */
  readonly word: string | undefined;
}

/** A call over HTTP/2, until its first message or its end; of a stream without a message until a ping has come back. */
function call(session: ClientHttp2Session, method: string, body: Buffer, headers: Readonly<Record<string, string>>): Promise<Outcome> {
  return new Promise((resolve) => {
    const fields = { ':method': 'POST', ':path': SERVICE + method, 'content-type': 'application/grpc', te: 'trailers', ...headers };
    const stream = session.request(fields, { signal: AbortSignal.timeout(LOST_MS) });
    let outcome: Outcome = { code: -1, word: undefined };
    const take = ({ 'grpc-status': code, code: word }: Readonly<Record<string, unknown>>): void => {
      if (code !== undefined) outcome = { code: Number(code), word: word as string | undefined };
    };
    stream.on('response', (answer) => {
      take(answer);
      // Subscribed: there may be nothing to tell for long.
      if (method.startsWith('SubscribeTo') && outcome.code < 0 && answer['content-type'] !== undefined) {
        session.ping(() => {
          if (stream.closed) return;
          outcome = { code: OK, word: undefined };
          stream.close(constants.NGHTTP2_CANCEL);
        });
      }
    });
    stream.on('trailers', take);
    stream.on('data', () => {
      if (!method.startsWith('SubscribeTo')) return;
      outcome = { code: OK, word: undefined };
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(outcome));
    stream.end(body);
  });
}

/** A connection of bytes behind the preface that need be no frames. */
async function rawConnection({ grpc }: Target, bytes: Buffer, tell: Tell): Promise<void> {
  const [host, port] = grpc.split(':');
  const socket = connectSocket({ host: host!, port: Number(port), timeout: IDLE_MS });
  socket.on('error', () => undefined);
  socket.on('timeout', () => socket.destroy());
  socket.resume();
  socket.end(Buffer.concat([PREFACE, bytes]));
  // `once` of `node:events` would throw what the error event holds: a refused connection is an answer, too.
  await new Promise((resolve) => socket.on('close', resolve));
  tell('framing of HTTP/2', undefined);
}
