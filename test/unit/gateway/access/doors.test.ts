import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo, type Socket } from 'node:net';
import { status as Status } from '@grpc/grpc-js';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { FastifyInstance } from 'fastify';
import { protoPath as healthProto } from 'grpc-health-check';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { KeyRing } from '../../../../src/gateway/access/key-ring.js';
import { type Access, openAccess } from '../../../../src/gateway/access/resolve.js';
import { type GrpcServer, startGrpcServer } from '../../../../src/gateway/grpc/server.js';
import { buildHttp } from '../../../../src/gateway/http.js';
import type { GatewayLimits } from '../../../../src/gateway/limits.js';
import { PublicationHub } from '../../../../src/publish/publication-hub.js';
import { CodedError, ErrorCode } from '../../../../src/support/errors.js';
import { adminKey, apiKeys, readerKey } from '../../../support/api-keys.js';
import { makeCertificate } from '../../../support/certificate.js';
import { FakeMarketData, FakePort } from '../../../support/fake-market-data.js';
import { type CallFailure, GrpcClient, type Message } from '../../../support/grpc-client.js';
import { encodeMarketData } from '../../../support/market-data-schema.js';
import { grpcFrame, RawGrpc } from '../../../support/raw-grpc.js';
import { until } from '../../../support/until.js';

let market: FakeMarketData;
let app: FastifyInstance;
let grpc: GrpcServer;
let access: Access;
let opened: (() => void)[];
let lines: string[];

async function start(given: Partial<Access> = {}, limits: Partial<GatewayLimits> = {}): Promise<void> {
  access = { ...openAccess(), ...given };
  const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
  const options = { market, hub: new PublicationHub(new FakePort()), logger, access, checkIntervalMs: 20, closeGraceMs: 100, ...limits };
  app = await buildHttp(options);
  await app.listen({ port: 0, host: '127.0.0.1' });
  grpc = await startGrpcServer({ ...options, host: '127.0.0.1', port: 0 });
}

beforeEach(() => {
  market = new FakeMarketData();
  market.addLive('BTCUSDT', 30);
  market.listed.add('ETHUSDT');
  opened = [];
  lines = [];
});
afterEach(async () => {
  for (const close of opened) close();
  await app.close();
  await grpc.close();
});

const port = (): number => (app.server.address() as AddressInfo).port;
const grpcPort = (): number => Number(grpc.address.split(':')[1]);
const health = loadSync(healthProto, { keepCase: true, enums: String })['grpc.health.v1.Health'] as ServiceDefinition;
const certificate = makeCertificate();
if (certificate === undefined) process.stdout.write('no TLS handshakes are tested: there is no openssl\n');
/** Sockets of the HTTP server. */
const connections = (): Promise<number> => new Promise((resolve) => app.server.getConnections((_error, open) => resolve(open)));
const withKeys = (): Partial<Access> => ({ keys: new KeyRing(apiKeys) });

async function ask(method: string, path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`http://127.0.0.1:${port()}${path}`, { method, headers });
  const body = await answer.text();
  return { status: answer.status, headers: answer.headers, body, code: /"code":"([A-Z_]+)"/.exec(body)?.[1] };
}

/** A WebSocket that opens, or the status and code of its refusal. */
async function handshake(headers: Record<string, string> = {}, protocols: string[] = [], path = '/ws'): Promise<WebSocket | string> {
  const ws = new WebSocket(`ws://127.0.0.1:${port()}${path}`, protocols, { headers });
  opened.push(() => ws.terminate());
  ws.on('error', () => {});
  return new Promise((resolve) => {
    ws.once('open', () => resolve(ws));
    ws.once('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(`${response.statusCode} ${(JSON.parse(body) as { code: string }).code}`));
    });
  });
}

/** A connected socket that can be told from a dropped one. */
async function connect(to: number, localAddress = '127.0.0.1'): Promise<{ readonly socket: Socket; readonly dropped: () => boolean }> {
  const socket = net.connect({ port: to, host: '127.0.0.1', localAddress });
  opened.push(() => socket.destroy());
  let dropped = false;
  socket.on('error', () => {});
  socket.on('close', () => (dropped = true));
  socket.resume();
  await once(socket, 'connect');
  return { socket, dropped: () => dropped };
}

async function call(headers: Record<string, string>, method = 'GetOrderBook', service?: ServiceDefinition): Promise<string> {
  const client = new GrpcClient(grpc.address, { headers });
  opened.push(() => client.close());
  const request = service === undefined ? { symbol: 'BTCUSDT' } : { service: '' };
  return client.call(method, request, service).then(
    (answer: Message) => (answer['status'] as string | undefined) ?? 'OK',
    ({ code, metadata }: CallFailure) => `${Status[code]} ${metadata['code']}`,
  );
}

describe('keys', () => {
  const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

  test.each<[string, string, string, number, number, number]>([
    // method, path, what the right is, then: without a key, with a reading key, with an admin key
    ['GET', '/health/live', 'open', 200, 200, 200],
    ['GET', '/health/ready', 'open', 200, 200, 200],
    ['GET', '/openapi.json', 'open', 200, 200, 200],
    ['GET', '/asyncapi.json', 'open', 200, 200, 200],
    ['GET', '/docs/', 'open', 200, 200, 200],
    ['GET', '/docs/static/swagger-ui.css', 'open', 200, 200, 200],
    ['GET', '/orderbook/BTCUSDT', 'read', 401, 200, 200],
    ['HEAD', '/orderbook/BTCUSDT', 'read', 401, 200, 200],
    ['GET', '/bbo', 'read', 401, 200, 200],
    ['GET', '/status', 'read', 401, 200, 200],
    ['GET', '/metrics', 'read', 401, 200, 200],
    ['GET', '/log-level', 'read', 401, 200, 200],
    ['GET', '/ws', 'read', 401, 426, 426],
    ['GET', '/nothing', 'read', 401, 404, 404],
    ['GET', '/docsy', 'read', 401, 404, 404],
    ['PATCH', '/symbols/ETHUSDT', 'read', 401, 405, 405],
    ['POST', '/symbols/ETHUSDT', 'admin', 401, 403, 201],
    ['DELETE', '/symbols/BTCUSDT', 'admin', 401, 403, 204],
    ['PUT', '/log-level?level=trace', 'admin', 401, 403, 200],
  ])('%s %s (%s)', async (method, path, _right, without, reading, admin) => {
    await start(withKeys());
    const statuses: number[] = [];
    for (const headers of [{}, bearer(readerKey), bearer(adminKey)]) statuses.push((await ask(method, path, headers)).status);
    expect(statuses).toEqual([without, reading, admin]);
  });

  test('every route that changes something needs the right to', async () => {
    await start(withKeys());
    const changing = ['POST', 'PUT', 'DELETE', 'PATCH'] as const;
    const { paths = {} } = app.swagger() as { readonly paths?: Readonly<Record<string, object>> };
    const routes = Object.entries(paths).flatMap(([url, methods]) =>
      changing.filter((method) => method.toLowerCase() in methods).map((method) => [method, url.replace(/\{\w+\}/g, 'X')] as const),
    );
    expect(routes.length).toBeGreaterThan(2);
    for (const [method, url] of routes)
      expect([method, url, (await ask(method, url, bearer(readerKey))).code]).toEqual([method, url, 'RIGHT_MISSING']);
  });

  test('are taken in either header, and refused with a code', async () => {
    await start(withKeys());
    const of = async (headers: Record<string, string>) => (await ask('GET', '/bbo', headers)).code ?? 'taken';
    expect(await of({ 'x-api-key': readerKey })).toBe('taken');
    expect(await of({ authorization: `bearer  ${readerKey} ` })).toBe('taken');
    expect(await of({})).toBe('KEY_REQUIRED');
    expect(await of({ authorization: `Basic ${readerKey}` })).toBe('KEY_REQUIRED');
    expect(await of({ 'x-api-key': '' })).toBe('KEY_REQUIRED');
    expect(await of({ 'x-api-key': `${readerKey}x` })).toBe('KEY_UNKNOWN');
    // The hash is not the key.
    expect(await of({ 'x-api-key': apiKeys[0]!.sha256 })).toBe('KEY_UNKNOWN');
    expect((await ask('GET', '/bbo')).headers.get('www-authenticate')).toBe('Bearer realm="mdp"');
    expect(access.refusals.counts).toMatchObject({ key: 6, right: 0 });
  });

  test('open the WebSocket, in a header or as a subprotocol that is not sent back', async () => {
    await start(withKeys());
    expect(await handshake()).toBe('401 KEY_REQUIRED');
    expect(await handshake(bearer('wrong'))).toBe('401 KEY_UNKNOWN');
    expect(await handshake({}, ['mdp', 'mdp.key.wrong'])).toBe('401 KEY_UNKNOWN');
    expect(await handshake(bearer(readerKey))).toBeInstanceOf(WebSocket);
    const named = await handshake({}, ['mdp.key.' + readerKey, 'mdp']);
    expect((named as WebSocket).protocol).toBe('mdp');
  });

  test('open the calls of gRPC, not health', async () => {
    await start(withKeys());
    expect(await call({})).toBe('UNAUTHENTICATED KEY_REQUIRED');
    expect(await call({ 'x-api-key': 'wrong' })).toBe('UNAUTHENTICATED KEY_UNKNOWN');
    expect(await call({ 'x-api-key': readerKey })).toBe('OK');
    expect(await call(bearer(readerKey))).toBe('OK');
    expect(await call({}, 'Check', health)).toBe('SERVING');
    const client = new GrpcClient(grpc.address);
    opened.push(() => client.close());
    expect(await client.books({ symbol: 'BTCUSDT' }).end()).toMatchObject({ code: Status.UNAUTHENTICATED });
  });

  test('are in no log line, no answer and no metric', async () => {
    await start({ ...withKeys(), origins: ['https://desk.example'] }, { requestsPerSecond: 1000 });
    const secrets = [readerKey, adminKey, 'a-wrong-key', ...apiKeys.map(({ sha256 }) => sha256)];
    const answers: string[] = [];
    for (const key of [readerKey, adminKey, 'a-wrong-key']) {
      for (const [method, path] of [
        ['GET', '/status'],
        ['GET', '/metrics'],
        ['GET', '/nothing'],
        ['POST', '/symbols/ETHUSDT'],
      ] as const)
        answers.push((await ask(method, path, bearer(key))).body);
      answers.push(JSON.stringify(await handshake({ ...bearer(key), origin: 'https://evil.example' })));
      await call({ 'x-api-key': key });
    }
    market.readBook = () => {
      throw new Error('broken');
    };
    answers.push((await ask('GET', '/orderbook/BTCUSDT', bearer(readerKey))).body);
    const { socket } = await connect(port());
    socket.write(`GET /bbo HTTP/1.1\r\nX-API-Key: ${readerKey}\r\nnonsense\r\n\r\n`);
    socket.on('data', (chunk: Buffer) => answers.push(chunk.toString()));
    await once(socket, 'close');
    const said = [...lines, ...answers, JSON.stringify(market.status())].join('\n');
    expect(said).toContain('"key":"ops","method":"POST","url":"/symbols/ETHUSDT"');
    expect(said).toContain('mdp_refused_total{reason="key"}');
    expect(said).toContain('request failed');
    expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
  });

  test('that are not configured are not asked for', async () => {
    await start();
    expect((await ask('POST', '/symbols/ETHUSDT')).status).toBe(201);
    expect(await handshake({ origin: 'https://any.example' })).toBeInstanceOf(WebSocket);
    expect(await call({})).toBe('OK');
  });
});

describe('origins', () => {
  test('of web pages are those allowed; programs have none', async () => {
    await start({ origins: ['https://desk.example', 'http://127.0.0.1:3000'] });
    expect(await handshake()).toBeInstanceOf(WebSocket);
    expect(await handshake({ origin: 'https://desk.example' })).toBeInstanceOf(WebSocket);
    expect(await handshake({ origin: 'http://127.0.0.1:3000' })).toBeInstanceOf(WebSocket);
    for (const origin of ['https://evil.example', 'http://desk.example', 'https://desk.example.evil.example', 'null'])
      expect([origin, await handshake({ origin })]).toEqual([origin, '403 ORIGIN_NOT_ALLOWED']);
    expect(access.refusals.counts.origin).toBe(4);
  });
});

describe('the host name of a request, on loopback without keys', () => {
  /** What a browser sends for a page of `host` that asks its own host; of a request that changes something, and of a handshake. */
  const page = (host: string): Record<string, string> => ({ host, origin: `http://${host}` });
  /** Like `ask`, with a `Host` of its own; the code of a refusal, or the status. */
  const askAs = async (method: string, path: string, headers: Record<string, string>): Promise<string | number> => {
    const request = http.request({ host: '127.0.0.1', port: port(), method, path, headers, agent: false }).end();
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    let body = '';
    for await (const chunk of answer) body += String(chunk);
    return /"code":"([A-Z_]+)"/.exec(body)?.[1] ?? answer.statusCode!;
  };

  test('is one of this machine for what changes something and for the WebSocket of a page', async () => {
    await start({ localName: 'box.internal' });
    for (const host of [
      'localhost:8080',
      'LOCALHOST',
      'desk.localhost:1',
      '127.0.0.1:8080',
      '127.9.9.9',
      '[::1]:8080',
      'box.internal:81',
    ]) {
      expect([host, await askAs('PUT', '/log-level?level=trace', page(host.toLowerCase()))]).toEqual([host, 200]);
      expect([host, await askAs('PUT', '/log-level?level=trace', { host })]).toEqual([host, 200]);
      expect([host, await handshake({ ...page(host), origin: 'https://any.example' })]).toEqual([host, expect.any(WebSocket)]);
    }
    expect(access.refusals.counts.origin).toBe(0);
  });

  test.each([
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evillocalhost',
    '192.0.2.1',
    '0.0.0.0:8080',
    '[::2]:1',
  ])('is not %j', async (host) => {
    await start({ localName: '127.0.0.1' });
    for (const [method, path] of [
      ['POST', '/symbols/ETHUSDT'],
      ['DELETE', '/symbols/BTCUSDT'],
      ['PUT', '/log-level?level=trace'],
    ] as const) {
      expect([method, await askAs(method, path, page(host))]).toEqual([method, 'ORIGIN_NOT_ALLOWED']);
      expect([method, await askAs(method, path, { host })]).toEqual([method, 'ORIGIN_NOT_ALLOWED']);
    }
    expect(await handshake(page(host))).toBe('403 ORIGIN_NOT_ALLOWED');
    expect(access.refusals.counts.origin).toBe(7);
    // Programs behind a proxy that hands the name on; browsers always say where a handshake comes from.
    expect(await handshake({ host })).toBeInstanceOf(WebSocket);
    for (const path of ['/orderbook/BTCUSDT', '/bbo', '/health/ready', '/metrics'])
      expect([path, await askAs('GET', path, { host })]).toEqual([path, 200]);
  });

  test('may be that of an origin that is allowed, or any for its pages', async () => {
    await start({ localName: '127.0.0.1', origins: ['https://desk.example'] });
    const of = (headers: Record<string, string>) => askAs('PUT', '/log-level?level=trace', headers);
    expect(await of({ host: 'desk.example' })).toBe(200);
    expect(await of({ host: 'engine.example', origin: 'https://desk.example' })).toBe(200);
    expect(await handshake({ host: 'engine.example', origin: 'https://desk.example' })).toBeInstanceOf(WebSocket);
    expect(await of(page('evil.example'))).toBe('ORIGIN_NOT_ALLOWED');
    expect(await handshake(page('evil.example'))).toBe('403 ORIGIN_NOT_ALLOWED');
  });

  test('is any where keys are asked for, or others can reach the engine', async () => {
    await start({ localName: null });
    expect(await askAs('PUT', '/log-level?level=trace', page('market.example'))).toBe(200);
    expect(await handshake(page('market.example'))).toBeInstanceOf(WebSocket);
  });
});

describe.each([
  ['HTTP', port],
  ['gRPC', grpcPort],
])('connections of %s', (_name, portOf) => {
  test('are so many in all; one too many is dropped, and there is room when one has gone', async () => {
    await start({}, { connections: 2 });
    const [first, second] = [await connect(portOf()), await connect(portOf())];
    const third = await connect(portOf());
    await until(third.dropped, { what: 'the third to be dropped' });
    expect([first.dropped(), second.dropped(), access.refusals.counts.connections]).toEqual([false, false, 1]);
    first.socket.destroy();
    await until(async () => {
      const next = await connect(portOf());
      if (portOf === port) next.socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      const answered = once(next.socket, 'data').then(() => true);
      return Promise.race([answered, once(next.socket, 'close').then(() => false)]);
    });
  });

  test('are so many of one address', async () => {
    await start({}, { connectionsPerAddress: 1 });
    const first = await connect(portOf(), '127.0.0.1');
    const second = await connect(portOf(), '127.0.0.1');
    await until(second.dropped, { what: 'the second to be dropped' });
    const other = await connect(portOf(), '127.0.0.2');
    const another = await connect(portOf(), '127.0.0.2');
    await until(another.dropped, { what: 'the second of the other address to be dropped' });
    expect([first.dropped(), other.dropped(), access.refusals.counts.address]).toEqual([false, false, 2]);
  });
});

describe('a trusted proxy', () => {
  const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });

  test('tells the addresses of WebSocket clients, and has no limit of its own', async () => {
    await start({ trustProxy: ['127.0.0.1'] }, { connectionsPerAddress: 1 });
    const first = await handshake(from('192.0.2.1'));
    expect(first).toBeInstanceOf(WebSocket);
    expect(await handshake(from('192.0.2.1'))).toBe('503 TOO_MANY_CLIENTS');
    expect(await handshake(from('192.0.2.2'))).toBeInstanceOf(WebSocket);
    // What the client itself wrote stands before what the proxy saw.
    expect(await handshake(from('192.0.2.9, 192.0.2.2'))).toBe('503 TOO_MANY_CLIENTS');
    (first as WebSocket).terminate();
    await until(async () => (await handshake(from('192.0.2.1'))) instanceof WebSocket, { what: 'room for another' });
  });

  test('has no limit of its own by gRPC, which tells nothing of its clients', async () => {
    await start({ trustProxy: ['127.0.0.1'] }, { connectionsPerAddress: 1 });
    expect([await call({}), await call({})]).toEqual(['OK', 'OK']);
    const elsewhere = [await connect(grpcPort(), '127.0.0.2'), await connect(grpcPort(), '127.0.0.2')];
    await until(elsewhere[1]!.dropped, { what: 'the second of an address that is no proxy to be dropped' });
  });

  test('is believed when it is named, and nobody else', async () => {
    await start({ trustProxy: ['10.0.0.0/8'] }, { requestsPerSecond: 2 });
    const codes = new Set<string | undefined>();
    // Always another address, and yet the same client.
    for (let i = 0; i < 30; i++) codes.add((await ask('GET', '/bbo', from(`192.0.2.${i}`))).code);
    expect(codes).toContain('RATE_LIMITED');
  });
});

describe('the rate of requests', () => {
  test('is bounded for each address, routes that do not exist included', async () => {
    await start({ trustProxy: ['loopback'] }, { requestsPerSecond: 3 });
    const flood = async (path: string, address: string) => {
      const answers = [];
      for (let i = 0; i < 30; i++) answers.push(await ask('GET', path, { 'x-forwarded-for': address }));
      return answers;
    };
    const answers = await flood('/bbo', '192.0.2.1');
    expect(answers.slice(0, 3).map(({ status }) => status)).toEqual([200, 200, 200]);
    const refused = answers.find(({ status }) => status === 429)!;
    expect([refused.code, refused.headers.get('retry-after')]).toEqual(['RATE_LIMITED', '1']);
    expect(access.refusals.counts.rate).toBeGreaterThan(0);
    expect((await flood('/nothing', '192.0.2.2')).map(({ status }) => status)).toContain(429);
    expect((await ask('GET', '/bbo', { 'x-forwarded-for': '192.0.2.3' })).status).toBe(200);
  });

  test('counts handshakes too', async () => {
    await start({}, { requestsPerSecond: 2 });
    const results = [];
    for (let i = 0; i < 20; i++) results.push(await handshake());
    expect(results).toContain('429 RATE_LIMITED');
  });

  test('counts what is refused for another reason, and no request at all', async () => {
    await start({ ...withKeys(), origins: ['https://desk.example'], trustProxy: ['loopback'] }, { requestsPerSecond: 2, clients: 0 });
    const from = (last: number): Record<string, string> => ({ 'x-forwarded-for': `192.0.2.${last}` });
    const known = { 'x-api-key': readerKey };
    const kinds: (() => Promise<string>)[] = [
      async () => (await ask('GET', '/orderbook/%', from(1))).code!,
      async () => (await ask('GET', `/orderbook/${'x'.repeat(2_000)}`, from(2))).code!,
      async () => (await ask('POST', '/symbols/ETHUSDT', { ...from(3), origin: 'https://evil.example' })).code!,
      async () => (await handshake({ ...from(4), ...known, origin: 'https://evil.example' })) as string,
      async () => (await handshake({ ...from(5), ...known }, [], '/status')) as string,
      async () => (await handshake({ ...from(6), ...known })) as string,
      async () => (await handshake(from(7))) as string,
      async () => (await handshake(from(8), [], '/orderbook/%')) as string,
    ];
    for (const kind of kinds) {
      const first = await kind();
      expect(first).not.toContain('RATE_LIMITED');
      await until(async () => (await kind()).endsWith('RATE_LIMITED'), { what: `${first} to be too many` });
    }
  });

  test('of gRPC is bounded for each address: calls, streams, wrong keys, and what one stream asks', async () => {
    const limited = `${Status[Status.RESOURCE_EXHAUSTED]} RATE_LIMITED`;
    await start(withKeys(), { requestsPerSecond: 3 });
    const known = new GrpcClient(grpc.address, { headers: { 'x-api-key': readerKey } });
    const unknown = new GrpcClient(grpc.address, { headers: { 'x-api-key': 'wrong' } });
    opened.push(
      () => known.close(),
      () => unknown.close(),
    );
    const ended = ({ code, metadata }: CallFailure): string => `${Status[code]} ${metadata['code']}`;
    const answer = (call: Promise<Message>): Promise<string> => call.then(() => 'OK', ended);
    const kinds: [string, () => Promise<string>][] = [
      ['OK', () => answer(known.call('GetOrderBook', { symbol: 'BTCUSDT', full_depth: true }))],
      ['UNAUTHENTICATED KEY_UNKNOWN', () => answer(unknown.call('GetOrderBook', { symbol: 'BTCUSDT' }))],
      ['NOT_FOUND SYMBOL_NOT_TRACKED', async () => ended(await known.books({ symbol: 'NOPE' }).end())],
      ['OK', () => answer(unknown.call('Check', { service: '' }, health))],
    ];
    for (const [first, kind] of kinds) {
      // In a second that has just begun.
      await until(async () => (await kind()) === first, { what: first });
      await until(async () => (await kind()) === limited, { what: `${first} to be too many` });
    }
    const refused = await until(
      () =>
        known.call('GetOrderBook', { symbol: 'BTCUSDT' }).then(
          () => undefined,
          (failure: unknown) => failure as CallFailure,
        ),
      { what: 'a refusal' },
    );
    expect(refused).toEqual({
      code: Status.RESOURCE_EXHAUSTED,
      details: 'more than 3 requests in a second from this address',
      metadata: { code: 'RATE_LIMITED', 'retry-after-ms': '1000', 'grpc-retry-pushback-ms': '1000' },
    });
    expect(access.refusals.counts.rate).toBeGreaterThan(4);

    // Another address has a second of its own.
    const other = await RawGrpc.connect(grpc.address, { localAddress: '127.0.0.2' });
    opened.push(() => other.close());
    const stream = other.open('grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
    const nothing = grpcFrame(Buffer.alloc(0));
    for (let i = 0; i < 10; i++) stream.write(nothing);
    stream.resume();
    const [trailers] = (await once(stream, 'trailers')) as [Record<string, string>];
    expect([Number(trailers['grpc-status']), trailers['code']]).toEqual([Status.RESOURCE_EXHAUSTED, 'RATE_LIMITED']);
  });

  test.skipIf(certificate === undefined)('of gRPC over TLS likewise', async () => {
    await start({ tls: certificate }, { requestsPerSecond: 3 });
    const client = new GrpcClient(`localhost:${grpcPort()}`, { ca: certificate!.cert });
    opened.push(() => client.close());
    const ask = (): Promise<unknown> =>
      client.call('GetOrderBook', { symbol: 'BTCUSDT' }).then(
        () => 'OK',
        ({ metadata }: CallFailure) => metadata['code'],
      );
    expect(await ask()).toBe('OK');
    await until(async () => (await ask()) === 'RATE_LIMITED', { what: 'one too many' });
    expect(access.refusals.counts.rate).toBeGreaterThan(0);
  });
});

describe('headers for browsers', () => {
  test.each(['/bbo', '/nothing', '/orderbook/%', '/metrics', '/docs/'])('are in the answer to %s', async (path) => {
    await start();
    const { headers } = await ask('GET', path);
    expect(headers.get('content-security-policy')).toContain("default-src '");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(headers.get('strict-transport-security')).toBeNull();
  });
});

describe('connections that do nothing', () => {
  test('a WebSocket without subscription or message is closed with 4000; one with a subscription stays', async () => {
    await start({}, { idleMs: 100 });
    const subscribed = (await handshake()) as WebSocket;
    subscribed.send(JSON.stringify({ op: 'subscribe', channel: 'bbo', symbols: ['BTCUSDT'] }));
    await once(subscribed, 'message');
    const idle = (await handshake()) as WebSocket;
    const [code, reason] = (await once(idle, 'close')) as [number, Buffer];
    expect([code, String(reason), subscribed.readyState]).toEqual([4000, 'IDLE', WebSocket.OPEN]);
  });

  test.each(['GET /bbo HT', 'POST /symbols/ETHUSDT HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{'])(
    'a request that stops after %j is answered with 408 and closed',
    async (bytes) => {
      await start({}, { requestMs: 200 });
      const { socket } = await connect(port());
      let said = '';
      socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
      socket.write(bytes);
      await once(socket, 'close');
      expect(said).toMatch(/^HTTP\/1\.1 408 /);
    },
  );

  test.skipIf(certificate === undefined).each(['', '\x16\x03\x01', 'GET /bbo HTTP/1.1\r\nHost: x\r\n\r\n'])(
    'a TLS handshake that stops after %j is dropped',
    async (bytes) => {
      await start({ tls: certificate }, { requestMs: 200 });
      const { socket, dropped } = await connect(port());
      socket.write(bytes);
      await until(dropped, { what: 'the end' });
      await until(async () => (await connections()) === 0, { what: 'the end on the other side' });
    },
  );

  test('requests written at once are answered one at a time; nobody who does not read gets a second answer made', async () => {
    market.addLive('ETHUSDT', 5_000);
    await start({}, { stalledMs: 300, pipelinedRequests: 100 });
    let read = 0;
    const readBook = market.readBook.bind(market);
    market.readBook = (...parameters) => {
      read++;
      return readBook(...parameters);
    };
    const request = 'GET /orderbook/ETHUSDT?depth=full HTTP/1.1\r\nHost: x\r\n\r\n';
    const reader = await connect(port());
    let answers = 0;
    const head = 'HTTP/1.1 200 OK';
    let tail = '';
    reader.socket.on('data', (chunk: Buffer) => {
      const text = tail + chunk.toString('latin1');
      answers += text.split(head).length - 1;
      // A head may come in two pieces.
      tail = text.slice(1 - head.length);
    });
    reader.socket.write(request.repeat(50));
    await until(() => answers === 50, { what: 'fifty answers in order' });
    reader.socket.destroy();

    read = 0;
    const socket = net.connect(port(), '127.0.0.1');
    opened.push(() => socket.destroy());
    socket.on('error', () => {});
    socket.pause();
    socket.write(request.repeat(100));
    await until(async () => (await connections()) === 1 && read > 0, { what: 'the connection' });
    await until(async () => (await connections()) === 0, { what: 'its end, when nothing moves for long enough' });
    // What the system's buffers take is answered too.
    expect(read).toBeLessThan(60);
  });

  test.each([
    ['no HTTP', 'FOO!! / HTTP/1.1\r\n\r\n', 400],
    ['a head without end', `GET /${'x'.repeat(20_000)}`, 431],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['a WebSocket where there is none', 'GET /status HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', 400],
    ['an offer nobody takes', 'GET /status HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n', 200],
  ])('%s behind requests is answered behind them, however long they take', async (_name, last, status) => {
    await start();
    const { socket, dropped } = await connect(port());
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    // Adding a symbol asks the exchange.
    let answer: (() => void) | undefined;
    const track = market.track.bind(market);
    market.track = async (symbol) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return track(symbol);
    };
    socket.write(`POST /symbols/ETHUSDT HTTP/1.1\r\nHost: x\r\n\r\nGET /status HTTP/1.1\r\nHost: x\r\n\r\n${last}`);
    await until(() => answer, { what: 'the request that takes long' });
    await ask('GET', '/bbo');
    expect(text).toBe('');
    answer!();
    await until(dropped, { what: 'the end' });
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 201', 'HTTP/1.1 200', `HTTP/1.1 ${status}`]);
  });

  test.each([
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
    ['a WebSocket where there is none', 'GET /status HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', 400],
    ['no HTTP', 'FOO!! / HTTP/1.1\r\n\r\n', 400],
  ])('%s behind a long answer that was written a moment ago is answered too', async (_name, last, status) => {
    await start();
    for (let i = 0; i < 10; i++) {
      const { socket, dropped } = await connect(port());
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      socket.end(`GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n${last}`);
      await until(dropped, { what: 'the end' });
      expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', `HTTP/1.1 ${status}`]);
    }
  });

  test('who ends its side gets its answers all the same, however long they take, and the end', async () => {
    await start();
    let answer: (() => void) | undefined;
    market.track = async () => {
      await new Promise<void>((resolve) => (answer = resolve));
      throw new CodedError(ErrorCode.SYMBOL_NOT_LISTED, 'no');
    };
    const { socket, dropped } = await connect(port());
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.end(['GET /status', 'POST /symbols/NOPEUSDT', 'GET /bbo'].map((line) => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
    await until(() => answer, { what: 'the request that takes long' });
    await ask('GET', '/bbo');
    answer!();
    await until(dropped, { what: 'the end' });
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual([200, 404, 200].map((status) => `HTTP/1.1 ${status}`));
    // Nothing is left of one that had nothing to say.
    const silent = await connect(port());
    silent.socket.end();
    await until(silent.dropped, { what: 'the end of a silent one' });
  });

  test('nothing behind answers that nobody reads holds a connection for good', async () => {
    market.addLive('ETHUSDT', 5_000);
    await start({}, { stalledMs: 200 });
    let accepted = 0;
    app.server.on('connection', () => accepted++);
    const whole = 'GET /orderbook/ETHUSDT?depth=full HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50);
    for (const last of [
      'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'FOO!! / HTTP/1.1\r\n\r\n',
    ]) {
      const socket = net.connect(port(), '127.0.0.1');
      opened.push(() => socket.destroy());
      socket.on('error', () => {});
      socket.pause();
      socket.write(whole + last);
    }
    await until(() => accepted === 3, { what: 'the connections' });
    await until(async () => (await connections()) === 0, { what: 'their end' });
  });

  test('a request that breaks off behind its answer gets no second one', async () => {
    await start();
    const { socket, dropped } = await connect(port());
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.write('GET /status HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n');
    await until(() => text !== '', { what: 'an answer' });
    socket.end();
    await until(dropped, { what: 'the end' });
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200']);
  });

  test.each([
    ['GET /orderbook/BTCUSDT', '', 200],
    ['GET /orderbook/BTCUSDT?numbers=string', '', 200],
    ['POST /symbols/ETHUSDT', 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}', 201],
    ['GET /ws', '', 426],
  ])('who offers h2c, as the clients of Java do, is answered as if nothing were: %s', async (line, rest, status) => {
    await start();
    const { socket, dropped } = await connect(port());
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.write(
      `${line} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n${rest || '\r\n'}`,
    );
    // Node cannot tell what follows, so nothing can.
    await until(dropped, { what: 'the end' });
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual([`HTTP/1.1 ${status}`]);
  });

  test('a page of another origin changes nothing, unless it may', async () => {
    await start();
    const host = `127.0.0.1:${port()}`;
    const add = async (origin: string): Promise<unknown> => {
      const { status, code } = await ask('POST', '/symbols/ETHUSDT', { origin });
      return code ?? status;
    };
    expect(await add('http://evil.example')).toBe('ORIGIN_NOT_ALLOWED');
    expect(await add('null')).toBe('ORIGIN_NOT_ALLOWED');
    expect(await add(`http://${host}`)).toBe(201);
    expect((await ask('GET', '/symbols', { origin: 'http://evil.example' })).status).toBe(200);
    expect(access.refusals.counts.origin).toBe(2);
  });

  test('a WebSocket behind requests opens once they are answered', async () => {
    await start();
    const { socket } = await connect(port());
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const requests = ['/orderbook/BTCUSDT', '/status', '/orderbook/BTCUSDT', '/ws'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n`);
    socket.write(`${requests.join('\r\n')}${upgrade}\r\n\r\n`);
    await until(() => text.includes('HTTP/1.1 101'), { what: 'the WebSocket' });
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual([200, 200, 200, 101].map((status) => `HTTP/1.1 ${status}`));
    // A ping, and the pong.
    socket.write(Buffer.of(0x89, 0x80, 0, 0, 0, 0));
    await until(() => text.endsWith('\x8a\0'), { what: 'a pong' });
  });

  test('too many requests written at once end the connection', async () => {
    await start({}, { pipelinedRequests: 20 });
    const { socket, dropped } = await connect(port());
    socket.write('GET /bbo HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000));
    await until(dropped, { what: 'the end' });
    expect([access.refusals.counts.pipeline, (await ask('GET', '/bbo')).status]).toEqual([1, 200]);
  });

  test('answers of single gRPC calls that nobody reads are bounded, and reset when they do not move', async () => {
    market.addLive('ETHUSDT', 5_000);
    await start({}, { grpcUnreadBytes: 1_000_000, stalledMs: 500 });
    const session = http2.connect(`http://${grpc.address}`, { settings: { initialWindowSize: 0 } });
    opened.push(() => session.destroy());
    session.on('error', () => {});
    await once(session, 'connect');
    const headers = {
      ':method': 'POST',
      ':path': '/market_data.MarketDataService/GetOrderBook',
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    const request = Buffer.from(encodeMarketData('OrderBookRequest', { symbol: 'ETHUSDT', depth: 5_000 }));
    const framed = Buffer.concat([Buffer.of(0, 0, 0, 0, request.length), request]);
    const ended: string[] = [];
    for (let i = 0; i < 50; i++) {
      const stream = session.request(headers);
      stream.on('error', () => {});
      stream.on('response', ({ 'grpc-status': status }) => status !== undefined && ended.push(`refused ${String(status)}`));
      stream.on('close', () => ended.push(`closed ${stream.rstCode}`));
      stream.end(framed);
    }
    const count = (what: string): number => ended.filter((text) => text === what).length;
    await until(() => count(`closed ${http2.constants.NGHTTP2_ENHANCE_YOUR_CALM}`) > 0, { what: 'a call to be reset' });
    await until(() => ended.filter((text) => text.startsWith('closed')).length === 50, { what: 'the end of all calls' });
    const reset = count(`closed ${http2.constants.NGHTTP2_ENHANCE_YOUR_CALM}`);
    // 5,000 levels a side are some 200 kB.
    expect(reset).toBeLessThan(15);
    expect(count(`refused ${Status.RESOURCE_EXHAUSTED}`)).toBe(50 - reset);
    expect(await call({})).toBe('OK');
  });

  test('a gRPC connection without a call is ended', async () => {
    await start({}, { idleMs: 100 });
    const session = http2.connect(`http://${grpc.address}`);
    opened.push(() => session.destroy());
    await once(session, 'goaway');
    await once(session, 'close');
  });

  test('a gRPC connection that never speaks is dropped', async () => {
    await start({}, { pingIntervalMs: 50, deadAfterMs: 100 });
    const silent = await connect(grpcPort());
    await until(silent.dropped, { what: 'the silent one to be dropped' });
  });
});

test('an HTTP agent that keeps its connection is not counted twice', async () => {
  await start({}, { connections: 1 });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  opened.push(() => agent.destroy());
  for (let i = 0; i < 3; i++) {
    const status = await new Promise((resolve, reject) => {
      const request = http.get({ port: port(), host: '127.0.0.1', path: '/health/live', agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      request.on('error', reject);
    });
    expect(status).toBe(200);
  }
});
