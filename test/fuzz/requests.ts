import { once as event } from 'node:events';
import { connect } from 'node:net';
import { Prng } from '../../src/simulator/prng.js';
import { inLanes, once, pick } from './lanes.js';
import { Mutator } from './mutator.js';
import { oddRequest } from './odd-request.js';
import type { FuzzReport } from './report.js';
import { type Tell, underAttack } from './target.js';

/** Requests of one connection, sent at once: one more than a hundred that wait would end it. */
const PIPELINED = 10;
/** A connection that says nothing for so long, and is not ended, has forgotten its client. A pair nobody lists is looked for at the exchange first, in its turn. */
const SILENT_MS = 20_000;

/**
 * Sends HTTP requests, nearly all of them wrong somewhere: odd methods, paths, percent-encodings, parameters, headers and bodies, which must each have an
 * answer, or follow one that says `Connection: close`; and at the end of half the connections bytes that may be no HTTP at all. No answer is a failure of ours.
 */
export function fuzzRequests(count: number, seed: number, withLimits = false): Promise<FuzzReport> {
  return underAttack(count, withLimits, async ({ url, symbols }, tell, done) => {
    const port = Number(new URL(url).port);
    await inLanes(count, async (lane, share) => {
      const random = new Prng(seed, `fuzz-requests-${lane}`);
      const mutator = new Mutator(random);
      for (let sent = 0; sent < share; ) {
        const batch = Array.from({ length: Math.min(share - sent, 1 + random.below(PIPELINED)) }, () => oddRequest(random, symbols));
        const isWild = once(random, 2);
        if (isWild) batch[batch.length - 1] = wild(random, mutator, batch.at(-1)!);
        await converse(port, batch, isWild ? batch.length - 1 : batch.length, tell, withLimits);
        sent += batch.length;
        for (let i = 0; i < batch.length; i++) await done();
      }
    });
  });
}

/** Bytes of which some are no HTTP, or HTTP that changes what the connection is. */
function wild(random: Prng, mutator: Mutator, request: Buffer): Buffer {
  const text = request.toString('latin1');
  const withHeader = (header: string): Buffer =>
    Buffer.from(
      text.replace('Host: localhost', () => `Host: localhost\r\n${header}`),
      'latin1',
    );
  switch (random.below(16)) {
    case 0:
      return withHeader(`X-Long: ${'x'.repeat(20_000)}`);
    case 1:
      return withHeader(Array.from({ length: 300 }, (_, i) => `X-${i}: 1`).join('\r\n'));
    case 2:
      return withHeader(
        pick(random, [
          'Upgrade: websocket\r\nConnection: Upgrade',
          'Upgrade: h2c\r\nConnection: Upgrade',
          'Connection: close',
          'Expect: 100-continue',
        ]),
      );
    case 3:
      return withHeader(
        pick(random, [
          'Content-Length: -1',
          'Content-Length: 1\r\nContent-Length: 2',
          'Transfer-Encoding: chunked\r\nContent-Length: 3',
          'Content-Length: 99999999',
        ]),
      );
    case 4:
      return Buffer.from(
        text.replace(/^\S+/, pick(random, ['CONNECT', 'CONNECT', 'TRACE', 'FOO', 'get', 'PROPFIND', '\x00', 'M-SEARCH'])),
        'latin1',
      );
    case 5:
      return Buffer.from(text.replace(' HTTP/1.1', pick(random, [' HTTP/1.0', ' HTTP/2.0', ' HTTP/9.9', '', ' HTTP/1.1 x'])), 'latin1');
    case 6:
      return Buffer.from(
        text.replace(/ \S+ /, pick(random, [' * ', ' http://x/status ', ' x ', ` /${'a'.repeat(15_000)} `, ' //x ', ' /\xff '])),
        'latin1',
      );
    case 7:
      return Buffer.from(
        text.replace(
          'Host: localhost\r\n',
          pick(random, ['', 'Host: a\r\nHost: b\r\n', 'Host:\r\n', 'Host : localhost\r\n', ' Host: localhost\r\n']),
        ),
        'latin1',
      );
    default:
      return Buffer.from(mutator.mutate(request, request));
  }
}

/** Sends requests over one connection, ends it, and reads until the engine has ended it too. */
async function converse(port: number, batch: readonly Buffer[], due: number, tell: Tell, withLimits: boolean): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', timeout: SILENT_MS });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  // Whoever writes on to a connection that is being closed may lose answers on their way.
  let wasReset = false;
  socket.on('error', () => (wasReset = true));
  socket.on('timeout', () => {
    tell('left open', `a connection was left open: ${story(batch)}`);
    socket.destroy();
  });
  socket.end(Buffer.concat(batch));
  await event(socket, 'close');
  const text = Buffer.concat(chunks).toString('latin1');
  const codes = text.match(/HTTP\/1\.1 \d{3}/g) ?? [];
  const saidClose = /\r\nconnection: close\r\n/i.test(text.slice(text.lastIndexOf('HTTP/1.1 ')));
  for (const code of codes) {
    const number = Number(code.slice(-3));
    const isFinding = number >= 500 && number !== 503;
    tell(number < 400 ? `ok ${number}` : String(number), isFinding ? `${number}: ${story(batch)}` : undefined);
  }
  if (codes.length < due && !saidClose && !wasReset && !withLimits)
    tell('too few answers', `${codes.length} answers to ${due} requests: ${story(batch)}`);
}

function story(batch: readonly Buffer[]): string {
  return JSON.stringify(Buffer.concat(batch).toString('latin1')).slice(-3_000);
}
