import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Client, credentials, status } from '@grpc/grpc-js';
import { WebSocket } from 'ws';
import { Prng } from '../../src/simulator/prng.js';
import { GrpcClient } from '../support/grpc-client.js';
import type { FuzzReport } from './frames.js';
import { Mutator } from './mutator.js';
import { type Target, type Tell, underAttack } from './target.js';

/** Connections at a time. */
const LANES = 8;
/** Messages of one WebSocket connection: a client may send a hundred a second, its pings among them. */
const MESSAGES = 95;
const GRPC_IN_FLIGHT = 64;
/** A connection that says nothing for so long is given up. */
const IDLE_MS = 2_000;
/** A stream without a message for so long is a quiet one. */
const QUIET_MS = 500;

/** `count` inputs, over several connections at a time, each lane with a sequence of its own. */
async function inLanes(count: number, lane: (lane: number, share: number) => Promise<void>): Promise<void> {
  const share = Math.ceil(count / LANES);
  await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i, Math.min(share, Math.max(0, count - i * share)))));
}

// ---- WebSocket messages

const operations = (symbols: readonly string[]): readonly string[] =>
  [
    { op: 'subscribe', id: 1, channel: 'book', symbols, depth: 5, interval: 100 },
    { op: 'subscribe', id: 'x', channel: 'book', symbols, depth: 'full', interval: 0 },
    { op: 'subscribe', channel: 'bbo', symbols: symbols.slice(0, 1) },
    { op: 'subscribe', channel: 'candle', symbols, interval: '1m', every: 1000 },
    { op: 'subscribe', channel: 'trade', symbols },
    { op: 'subscribe', channel: 'analytics', symbols: ['NOPEUSDT'], depth: 20 },
    { op: 'unsubscribe', channel: 'book', symbols: 'all', id: 9 },
    { op: 'unsubscribe', channel: 'bbo' },
    { op: 'ping', id: 3 },
  ].map((operation) => JSON.stringify(operation));

export function fuzzMessages(count: number, seed: number): Promise<FuzzReport> {
  return underAttack(count, async ({ wsUrl, symbols }, tell) => {
    const sound = operations(symbols).map((text) => Buffer.from(text));
    await inLanes(count, async (lane, share) => {
      const random = new Prng(seed, `fuzz-messages-${lane}`);
      const mutator = new Mutator(random);
      const any = (): Buffer => sound[random.below(sound.length)]!;
      for (let sent = 0; sent < share; ) {
        const socket = await openSocket(wsUrl, tell);
        for (let i = 0; i < MESSAGES && sent < share && socket.readyState === WebSocket.OPEN; i++, sent++) {
          const bytes = random.below(10) === 0 ? any() : mutator.mutate(any(), any());
          // Text as it is would be refused for its UTF-8 nearly always.
          if (random.below(8) === 0) socket.send(bytes, { binary: true });
          else socket.send(Buffer.from(bytes).toString(random.below(8) === 0 ? 'latin1' : 'utf8'));
        }
        if (socket.readyState === WebSocket.OPEN) {
          socket.ping();
          await Promise.race([once(socket, 'pong'), once(socket, 'close')]);
        }
        socket.terminate();
      }
    });
  });
}

async function openSocket(url: string, tell: Tell): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('message', (data: Buffer) => {
    const { op, code } = JSON.parse(data.toString()) as { op?: string; code?: string };
    if (op !== undefined) tell(op === 'error' ? `${code}` : `ok ${op}`, code === 'INTERNAL_ERROR' ? data.toString() : undefined);
  });
  socket.on('close', (code) => tell(`ok closed ${code}`, code === 1011 ? 'closed with 1011' : undefined));
  socket.on('error', () => undefined);
  await once(socket, 'open');
  return socket;
}

// ---- HTTP requests

const requests = (symbols: readonly string[]): readonly string[] => {
  const [symbol = ''] = symbols;
  const gets = [
    `/orderbook/${symbol}?depth=20`,
    `/orderbook/${symbol}/depth?side=bids&price=100`,
    `/orderbook/${symbol}/slippage?side=buy&quantity=1.5`,
    `/orderbooks?symbols=${symbols.join(',')}&depth=5`,
    `/bbo?symbols=${symbol}`,
    `/trades/${symbol}?limit=10&before=99`,
    `/ticker/${symbol}`,
    `/tickers`,
    `/candles/${symbol}?interval=1m&limit=10`,
    `/analytics/${symbol}?depth=20`,
    `/status/${symbol}`,
    `/symbols`,
    `/health`,
    `/metrics`,
  ].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nIf-None-Match: "1-2-3"\r\n\r\n`);
  const body = JSON.stringify({ symbol: 'NOPEUSDT' });
  return [
    ...gets,
    `POST /symbols HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `DELETE /symbols/NOPEUSDT HTTP/1.1\r\nHost: x\r\n\r\n`,
    `PUT /log-level?level=info HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`,
  ];
};

export function fuzzRequests(count: number, seed: number): Promise<FuzzReport> {
  return underAttack(count, async ({ url, symbols }, tell) => {
    const port = Number(new URL(url).port);
    const sound = requests(symbols).map((text) => Buffer.from(text));
    await inLanes(count, async (lane, share) => {
      const random = new Prng(seed, `fuzz-requests-${lane}`);
      const mutator = new Mutator(random);
      const any = (): Buffer => sound[random.below(sound.length)]!;
      for (let sent = 0; sent < share; ) {
        const batch: Uint8Array[] = [];
        // One input in two changes only the target, so that it gets past the parser; any other may end the connection.
        for (; batch.length < 20 && sent < share; sent++) {
          const isWild = random.below(2) === 0;
          batch.push(isWild ? mutator.mutate(any(), any()) : changeTarget(any(), mutator));
          if (isWild) break;
        }
        await converse(port, batch, tell);
      }
    });
  });
}

/** Changes the target and nothing else, and leaves no byte in it that ends it. */
function changeTarget(request: Buffer, mutator: Mutator): Buffer {
  const text = request.toString('latin1');
  const [from, to] = [text.indexOf(' ') + 1, text.indexOf(' HTTP/')];
  const target = request.subarray(from, to);
  const changed = Buffer.from(mutator.mutate(target, target)).map((byte) => (byte <= 0x20 || byte >= 0x7f ? 0x25 : byte));
  return Buffer.concat([request.subarray(0, from), changed, request.subarray(to)]);
}

/** Sends requests over one connection, ends it, and reads until the engine has ended it too. */
async function converse(port: number, batch: readonly Uint8Array[], tell: Tell): Promise<void> {
  const socket: Socket = connect({ port, host: '127.0.0.1', timeout: IDLE_MS });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  // An upgrade or an answer that goes on would keep it open; half a request would wait for the rest.
  socket.on('timeout', () => socket.destroy());
  socket.end(Buffer.concat(batch));
  await once(socket, 'close');
  const codes = text.match(/HTTP\/1\.1 \d{3}/g) ?? [];
  if (codes.length === 0) tell('no answer');
  for (const code of codes) {
    const number = Number(code.slice(-3));
    const isFinding = number >= 500 && number !== 503;
    tell(number < 400 ? `ok ${number}` : String(number), isFinding ? `${number}: ${Buffer.concat(batch).toString('latin1')}` : undefined);
  }
}

// ---- gRPC payloads

const SERVICE = '/market_data.MarketDataService/';
const unaries = ['GetOrderBook', 'GetTicker', 'GetRecentTrades'];
const streams = ['SubscribeToOrderBookUpdates', 'SubscribeToTrades', 'SubscribeToTickers'];

export function fuzzPayloads(count: number, seed: number): Promise<FuzzReport> {
  return underAttack(count, async (target, tell) => {
    const client = new Client(target.grpc, credentials.createInsecure());
    const random = new Prng(seed, 'fuzz-payloads');
    const mutator = new Mutator(random);
    const sound = payloads(target);
    const any = (): Buffer => sound[random.below(sound.length)]!;
    let left = count;
    const one = async (): Promise<void> => {
      const bytes = Buffer.from(random.below(10) === 0 ? any() : mutator.mutate(any(), any()));
      const code =
        random.below(4) > 0
          ? await unary(client, unaries[random.below(3)]!, bytes)
          : await stream(client, streams[random.below(3)]!, bytes);
      const isFinding = code === status.UNKNOWN || code === status.DATA_LOSS || code === status.DEADLINE_EXCEEDED;
      tell(code === status.OK ? 'ok' : status[code], isFinding ? `${status[code]}: ${bytes.toString('base64')}` : undefined);
    };
    await Promise.all(
      Array.from({ length: GRPC_IN_FLIGHT }, async () => {
        while (left-- > 0) await one();
      }),
    );
    client.close();
  });
}

function payloads({ symbols }: Target): readonly Buffer[] {
  return unaries
    .flatMap((method) => symbols.slice(0, 2).map((symbol) => GrpcClient.encode(method, { symbol, depth: 20, limit: 10 })))
    .concat(streams.map((method) => GrpcClient.encode(method, { symbols, depth: 5, interval_ms: 100 })));
}

const asIs = (bytes: Buffer): Buffer => bytes;

function unary(client: Client, method: string, bytes: Buffer): Promise<status> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(SERVICE + method, asIs, asIs, bytes, { deadline: Date.now() + 10_000 }, (error) =>
      resolve(error?.code ?? status.OK),
    );
  });
}

/** Until the first message, or the end, or nothing for a while: there may be no trade. */
function stream(client: Client, method: string, bytes: Buffer): Promise<status> {
  return new Promise((resolve) => {
    const call = client.makeServerStreamRequest(SERVICE + method, asIs, asIs, bytes, { deadline: Date.now() + QUIET_MS });
    call.on('data', () => {
      resolve(status.OK);
      call.cancel();
    });
    call.on('error', ({ code = status.UNKNOWN }: Error & { code?: status }) =>
      resolve(code === status.DEADLINE_EXCEEDED ? status.OK : code),
    );
    call.on('end', () => resolve(status.OK));
  });
}
