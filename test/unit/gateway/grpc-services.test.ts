import { once } from 'node:events';
import { constants } from 'node:http2';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type MethodDefinition, type ServiceDefinition, status as Status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GatewayOptions } from '../../../src/gateway/context.js';
import { type GrpcServer, startGrpcServer } from '../../../src/gateway/grpc/server.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { FakeMarketData, FakePort } from '../../support/fake-market-data.js';
import { type CallFailure, GrpcClient, type Message } from '../../support/grpc-client.js';
import { grpcFrame, RawGrpc, type RawGrpcOptions } from '../../support/raw-grpc.js';
import { until } from '../../support/until.js';

const health = loadSync(healthProto, { keepCase: true, enums: String, defaults: true })['grpc.health.v1.Health'] as ServiceDefinition;
const reflectionProtos = join(dirname(createRequire(import.meta.url).resolve('@grpc/reflection')), '../proto/grpc/reflection');
const reflection = loadSync(join(reflectionProtos, 'v1/reflection.proto'), { keepCase: true, defaults: true })[
  'grpc.reflection.v1.ServerReflection'
] as ServiceDefinition;
const { requestSerialize, responseDeserialize } = reflection['ServerReflectionInfo'] as MethodDefinition<object, object>;

let server: GrpcServer;
let client: GrpcClient;
let toClose: (() => void)[];

async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
  const market = new FakeMarketData();
  market.addLive('BTCUSDT', 30);
  const hub = new PublicationHub(new FakePort());
  const given = { market, hub, logger: pino({ level: 'silent' }), checkIntervalMs: 20, closeGraceMs: 200, ...options };
  server = await startGrpcServer({ ...given, host: '127.0.0.1', port: 0 });
  client = new GrpcClient(server.address);
}

beforeEach(() => {
  toClose = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of toClose) close();
  client.close();
  await server.close();
});

async function connect(options?: RawGrpcOptions): Promise<RawGrpc> {
  const raw = await RawGrpc.connect(server.address, options);
  toClose.push(() => raw.close());
  return raw;
}

const watch = (service: string) => client.stream('Watch', { service }, health);
const ask = (symbol: string): Buffer => grpcFrame(requestSerialize({ file_containing_symbol: symbol }));

/** The messages in the bytes of a stream. */
function messagesOf(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt32BE(at + 1))
    messages.push(responseDeserialize(bytes.subarray(at + 5, at + 5 + bytes.readUInt32BE(at + 1))) as Message);
  return messages;
}

describe.each(['grpc.reflection.v1', 'grpc.reflection.v1alpha'])('%s', (name) => {
  const path = `${name}.ServerReflection/ServerReflectionInfo`;

  test('answers what was asked while nobody read, in order', async () => {
    await start();
    const stream = (await connect()).open(path);
    stream.pause();
    const asked = Array.from({ length: 300 }, (_, i) => `${'x'.repeat(1_000)}${i}`);
    for (const symbol of [...asked, 'market_data.OrderBookResponse']) stream.write(ask(symbol));
    stream.end();
    await once(stream, 'response');
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
    const [trailers] = (await once(stream, 'trailers')) as [Record<string, string>];
    expect(Number(trailers['grpc-status'])).toBe(Status.OK);
    const answers = messagesOf(Buffer.concat(chunks));
    expect(answers.slice(0, -1).map(({ original_request }) => (original_request as Message)['file_containing_symbol'])).toEqual(asked);
    const { file_descriptor_response: found } = answers.at(-1)!;
    expect(String((found as { file_descriptor_proto: Buffer[] }).file_descriptor_proto[0])).toContain('OrderBookResponse');
  });

  test('reads nothing more of a client that does not read, and resets it', async () => {
    await start({ stalledMs: 300 });
    const raw = await connect({ window: 0 });
    const stream = raw.open(path);
    const request = ask('x'.repeat(32_000));
    for (let i = 0; i < 100; i++) stream.write(request);
    await until(() => stream.destroyed, { what: 'the stream to be reset' });
    expect(stream.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // What the window of the stream takes, of 3 MB.
    expect(raw.socket.bytesWritten).toBeLessThan(500_000);
  });

  test('loses its fullest streams when a connection holds too many bytes in all', async () => {
    await start({ grpcUnreadBytes: 100_000 });
    const raw = await connect({ window: 0 });
    const streams = Array.from({ length: 5 }, () => raw.open(path));
    for (const stream of streams) stream.write(ask('x'.repeat(32_000)));
    // An answer is 64 kB: it repeats what it does not find.
    await until(() => streams.filter(({ destroyed }) => destroyed).length === 4, { what: 'all but one to be reset' });
    expect(streams.filter(({ rstCode }) => rstCode === constants.NGHTTP2_ENHANCE_YOUR_CALM)).toHaveLength(4);
  });
});

describe('health', () => {
  test('remembers no name it does not have', async () => {
    const remember = vi.spyOn(HealthImplementation.prototype as unknown as { addWatcher: (service: string) => void }, 'addWatcher');
    await start();
    const unknown = watch('x'.repeat(60_000));
    expect(await unknown.next()).toEqual({ status: 'SERVICE_UNKNOWN' });
    expect(await watch('market_data.MarketDataService').next()).toEqual({ status: 'SERVING' });
    expect(remember.mock.calls.map(([service]) => service)).toEqual(['market_data.MarketDataService']);
    expect(unknown.ended).toBeUndefined();
    const failure = await client.call('Check', { service: 'x'.repeat(60_000) }, health).catch((error: unknown) => error as CallFailure);
    expect(failure).toMatchObject({ code: Status.NOT_FOUND, details: 'there is no such service' });
  });

  test('resets a watcher that takes not even one state', async () => {
    await start({ stalledMs: 300 });
    const stream = (await connect({ window: 0 })).open('grpc.health.v1.Health/Watch');
    stream.end(grpcFrame(Buffer.alloc(0)));
    await until(() => stream.destroyed, { what: 'the stream to be reset' });
    expect(stream.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  test('tells its watchers of the end', async () => {
    await start();
    const stream = watch('');
    expect(await stream.next()).toEqual({ status: 'SERVING' });
    const closed = server.close();
    expect(await stream.next()).toEqual({ status: 'NOT_SERVING' });
    const { code, metadata } = await stream.end();
    expect([code, metadata['code'], metadata['retry-after-ms']]).toEqual([Status.UNAVAILABLE, 'SHUTTING_DOWN', '5000']);
    await closed;
  });
});

describe('streams of health and reflection', () => {
  test('count among those of a connection, and there is room again when one ends', async () => {
    await start({ grpcStreamsPerConnection: 2 });
    const first = watch('');
    const second = watch('nobody');
    await Promise.all([first.next(), second.next()]);
    for (const third of [watch(''), client.books({ symbol: 'BTCUSDT' })]) {
      const { code, metadata } = await third.end();
      expect([code, metadata]).toEqual([Status.RESOURCE_EXHAUSTED, { code: 'SUBSCRIPTION_LIMIT' }]);
    }
    first.cancel();
    await until(
      () =>
        watch('')
          .next()
          .catch(() => undefined),
      { what: 'room for another' },
    );
  });

  test('count among those of all clients', async () => {
    await start({ grpcStreams: 1 });
    const info = 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const open = (await connect()).open(info);
    open.write(ask('nothing'));
    await once(open, 'data');
    const { code, metadata } = await watch('').end();
    expect([code, metadata['code']]).toEqual([Status.RESOURCE_EXHAUSTED, 'TOO_MANY_CLIENTS']);
    open.end();
    await until(
      () =>
        watch('')
          .next()
          .catch(() => undefined),
      { what: 'room for another' },
    );
  });
});
