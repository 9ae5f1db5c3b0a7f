import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { RawClient } from '../../../../bench/many-clients/raw-client.js';
import { it } from '../../../support/cleanup.js';
import { until } from '../../../support/until.js';

it('reads whole messages of any length, answers pings, is heard, and learns of its end', async ({ opened }) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  opened({ close: () => new Promise<void>((resolve) => server.close(() => resolve())) });
  await once(server, 'listening');
  const received: string[] = [];
  let closed = false;
  const arrived = once(server, 'connection');
  const client = await RawClient.connect((server.address() as AddressInfo).port, {
    text: (bytes, start, end) => received.push(bytes.toString('latin1', start, end)),
    closed: () => (closed = true),
  });
  const [socket] = (await arrived) as [WebSocket];

  const sent = [10, 200, 70_000, 0].map((length) => 'x'.repeat(length));
  for (const text of sent) socket.send(text);
  await until(() => received.length === sent.length, { what: 'all messages' });
  expect(received).toEqual(sent);

  const pong = once(socket, 'pong');
  socket.ping('there?');
  expect(String((await pong)[0])).toBe('there?');
  const said = once(socket, 'message');
  client.send('y'.repeat(300));
  expect(String((await said)[0])).toBe('y'.repeat(300));

  socket.close(4008);
  expect((await once(socket, 'close'))[0]).toBe(4008);
  await until(() => closed, { what: 'the end' });
});

it('is refused where there is no WebSocket', async ({ opened }) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, verifyClient: () => false });
  opened({ close: () => new Promise<void>((resolve) => server.close(() => resolve())) });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(RawClient.connect(port, { text: () => undefined, closed: () => undefined })).rejects.toThrow(/no WebSocket: HTTP\/1.1 401/);
});
