import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { pushFrame } from './push-frame.js';

export interface FakeClient {
  readonly number: number;
  readonly socket: WebSocket;
  readonly channels: Set<string>;
  /** Text messages received, in order. */
  readonly messages: string[];
}

export interface FakeExchange {
  readonly url: string;
  /** Every client that ever connected, in order. */
  readonly clients: FakeClient[];
  /** Set to refuse channels: returns the refusal's reason. */
  refuse: (channel: string) => string | undefined;
  /** False: requests are read and not answered. */
  answering: boolean;
  /** False: PINGs are not answered. */
  ponging: boolean;
  /** Set to write the answer to a subscription by hand; `undefined` for the usual one. */
  answer: ((client: FakeClient, id: number, channels: readonly string[]) => string | undefined) | undefined;
  /** Sends a depth push of the symbol to every client that subscribed it; returns to how many. */
  push(symbol: string, version: number): number;
  /** Sends a push of this channel, with a body nobody reads, to every client that subscribed it; returns to how many. */
  pushChannel(channel: string): number;
  /** Channels subscribed by clients that are connected, each with how often. */
  subscribed(): Map<string, number>;
  close(): Promise<void>;
}

interface Request {
  readonly method: string;
  readonly params?: readonly string[];
  readonly id?: number;
}

/** A few lines of MEXC's stream for tests of the feed: acks, refusals and PONGs as captured, pushes on request. */
export async function startFakeExchange(): Promise<FakeExchange> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const exchange: FakeExchange = {
    url: `ws://127.0.0.1:${port}/ws`,
    clients: [],
    refuse: () => undefined,
    answering: true,
    ponging: true,
    answer: undefined,
    push: (symbol, version) => {
      let sent = 0;
      for (const client of exchange.clients) {
        const channel = [...client.channels].find((candidate) => candidate.endsWith(`@${symbol}`));
        if (channel === undefined || client.socket.readyState !== client.socket.OPEN) continue;
        client.socket.send(pushFrame({ channel, symbol, sendTime: version, fromVersion: version }));
        sent++;
      }
      return sent;
    },
    pushChannel: (channel) => {
      const carriers = exchange.clients.filter(({ socket, channels }) => socket.readyState === socket.OPEN && channels.has(channel));
      for (const { socket } of carriers) socket.send(pushFrame({ channel }));
      return carriers.length;
    },
    subscribed: () => {
      const counts = new Map<string, number>();
      for (const { socket, channels } of exchange.clients) {
        if (socket.readyState === socket.OPEN) for (const channel of channels) counts.set(channel, (counts.get(channel) ?? 0) + 1);
      }
      return counts;
    },
    close: async () => {
      for (const { socket } of exchange.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on('connection', (socket) => {
    const client: FakeClient = { number: exchange.clients.length, socket, channels: new Set(), messages: [] };
    exchange.clients.push(client);
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      client.messages.push(text);
      const reply = answerRequest(exchange, client, JSON.parse(text) as Request);
      if (reply !== undefined) socket.send(reply);
    });
  });
  return exchange;
}

function answerRequest(exchange: FakeExchange, client: FakeClient, { method, params = [], id = 0 }: Request): string | undefined {
  if (method === 'PING') return exchange.ponging ? '{"id":0,"code":0,"msg":"PONG"}' : undefined;
  if (!exchange.answering) return undefined;
  if (method === 'UNSUBSCRIPTION') {
    for (const channel of params) client.channels.delete(channel);
    return JSON.stringify({ id, code: 0, msg: params.join(',') });
  }
  const refused = params.flatMap((channel) => {
    const reason = exchange.refuse(channel);
    return reason === undefined ? [] : [{ channel, reason }];
  });
  const taken = params.filter((channel) => !refused.some((entry) => entry.channel === channel));
  for (const channel of taken) client.channels.add(channel);
  const byHand = exchange.answer?.(client, id, params);
  if (byHand !== undefined) return byHand;
  if (refused.length === 0) return JSON.stringify({ id, code: 0, msg: taken.join(',') });
  const success = taken.length > 0 ? `Subscribed successful! [${taken.join(',')}]. ` : '';
  return JSON.stringify({
    id,
    code: 0,
    msg: `${success}Not Subscribed successfully! [${refused.map(({ channel }) => channel).join(',')}].  Reason： ${refused[0]!.reason} `,
  });
}

/** The channels a client asked for with one method, message by message. */
export function requests(client: FakeClient, method: 'SUBSCRIPTION' | 'UNSUBSCRIPTION'): string[][] {
  return client.messages
    .map((text) => JSON.parse(text) as Request)
    .flatMap((request) => (request.method === method ? [[...(request.params ?? [])]] : []));
}
