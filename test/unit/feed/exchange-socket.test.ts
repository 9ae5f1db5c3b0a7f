import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { openExchangeSocket } from '../../../src/feed/exchange-socket.js';
import { makeCertificate } from '../../support/certificate.js';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

interface Seen {
  readonly socket: WebSocket;
  readonly server: WebSocket;
  /** The server's end of the connection. */
  readonly wire: Socket;
  /** All messages in order, as hex; those that came as events are marked. */
  readonly messages: string[];
}

/** Opens a connection to a server; `early` is sent together with the end of the handshake. */
async function connect(http: Server, protocol: 'ws' | 'wss', early: readonly Buffer[] = [], maxPayload = 1 << 20): Promise<Seen> {
  const acceptor = new WebSocketServer({ server: http, perMessageDeflate: false });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const accepted = new Promise<[WebSocket, Socket]>((resolve) => {
    acceptor.on('connection', (server, request) => {
      for (const bytes of early) server.send(bytes);
      resolve([server, request.socket]);
    });
  });
  const messages: string[] = [];
  const { port } = http.address() as AddressInfo;
  const options = { perMessageDeflate: false, maxPayload, rejectUnauthorized: false };
  const socket = openExchangeSocket(`${protocol}://127.0.0.1:${port}`, options, (bytes, start, end) => {
    messages.push(bytes.toString('hex', start, end));
  });
  socket.on('message', (data, isBinary) => messages.push(`${isBinary ? 'event' : 'text'} ${(data as Buffer).toString('hex')}`));
  open.push(() => {
    socket.terminate();
    acceptor.close();
    http.close();
    http.closeAllConnections();
  });
  await once(socket, 'open');
  const [server, wire] = await accepted;
  return { socket, server, wire, messages };
}

const certificate = makeCertificate();

describe.each<{ protocol: 'ws' | 'wss'; serve: () => Server }>([
  { protocol: 'ws', serve: () => createServer() },
  ...(certificate === undefined ? [] : [{ protocol: 'wss' as const, serve: () => createTlsServer(certificate) as unknown as Server }]),
])('$protocol', ({ protocol, serve }) => {
  test('every message arrives once, whole and in order, however it is cut', async () => {
    const { socket, server, messages } = await connect(serve(), protocol);
    const sent = Array.from({ length: 2000 }, (_, i) => randomBytes((i * 37) % (i % 50 === 0 ? 100_000 : 900)));
    for (const [i, bytes] of sent.entries()) {
      if (i % 100 === 0) server.ping();
      server.send(bytes);
    }
    server.close(1000);
    await once(socket, 'close');
    expect(messages.map((text) => text.replace('event ', ''))).toEqual(sent.map((bytes) => bytes.toString('hex')));
    expect(messages.filter((text) => !text.startsWith('event')).length).toBeGreaterThan(1500);
  });

  test('what is sent together with the end of the handshake is not lost', async () => {
    const early = Array.from({ length: 20 }, (_, i) => Buffer.alloc(i + 1, i));
    const { socket, server, messages } = await connect(serve(), protocol, early);
    server.send(Buffer.from('last'));
    server.close(1000);
    await once(socket, 'close');
    expect(messages.map((text) => text.replace('event ', ''))).toEqual(
      [...early, Buffer.from('last')].map((bytes) => bytes.toString('hex')),
    );
  });

  test('text and fragments come through the events, pings are answered', async () => {
    const { socket, server, messages } = await connect(serve(), protocol);
    server.send('text');
    server.send(Buffer.from('ab'), { fin: false });
    server.send(Buffer.from('cd'));
    server.ping('hello');
    const [pong] = (await once(server, 'pong')) as [Buffer];
    server.close(1000);
    await once(socket, 'close');
    expect([messages, pong.toString()]).toEqual([['text 74657874', 'event 61626364'], 'hello']);
  });

  test('while it rests nothing is read, afterwards all of it', async () => {
    const { socket, server, messages } = await connect(serve(), protocol);
    socket.pause();
    const sent = Array.from({ length: 50 }, (_, i) => Buffer.alloc(100, i));
    for (const bytes of sent) server.send(bytes);
    await new Promise<void>((resolve) => server.send(Buffer.from('end'), () => resolve()));
    expect(messages).toEqual([]);
    socket.resume();
    server.close(1000);
    await once(socket, 'close');
    expect(messages.map((text) => text.replace('event ', '')).length).toBe(51);
  });

  test('after a breach of the protocol nothing is handed over any more', async () => {
    const { socket, wire, messages } = await connect(serve(), protocol);
    const failed = once(socket, 'error');
    // A masked frame, as no server may send one, and a sound one.
    wire.write(Buffer.from([0x82, 0x81, 1, 2, 3, 4, 5, 0x82, 0x01, 0x07]));
    await failed;
    wire.write(Buffer.from([0x82, 0x01, 0x08]));
    await once(socket, 'close');
    expect(messages).not.toContain('08');
  });
});

test('a server that is not there is an error, as ever', async () => {
  const http = createServer();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  http.close();
  await once(http, 'close');
  const socket = openExchangeSocket(`ws://127.0.0.1:${port}`, {}, () => expect.unreachable());
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});
