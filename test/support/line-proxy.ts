import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** One connection of the engine to the exchange, as the proxy sees it. */
export interface ProxiedLine {
  readonly number: number;
  readonly channels: ReadonlySet<string>;
  /** Of two connections that carry the same channels, which: 0 or 1. */
  readonly side: number;
  /** Ends it without a farewell. */
  kill(): void;
  /** From here on nothing more comes, and nobody is told. */
  stall(): void;
}

/** Stands between engine and exchange, so that something can happen to one connection alone. */
export interface LineProxy {
  readonly wsUrl: string;
  /** Connections that are open, in order. */
  lines(): ProxiedLine[];
  /** Open connections that carry the channel. */
  carriers(channel: string): ProxiedLine[];
  /** Set to lose pushes: returns true for one that is not to arrive. */
  loses: (line: ProxiedLine, push: Buffer) => boolean;
  /** Set to be late with everything that comes on a line, ms; the order stays. */
  lateMs: (line: ProxiedLine) => number;
  close(): Promise<void>;
}

interface Request {
  readonly method: string;
  readonly params?: readonly string[];
}

export async function startLineProxy(exchangeUrl: string): Promise<LineProxy> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await new Promise((resolve) => server.once('listening', resolve));
  const open = new Set<ProxiedLine>();
  const proxy: LineProxy = {
    wsUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`,
    lines: () => [...open],
    carriers: (channel) => [...open].filter(({ channels }) => channels.has(channel)),
    loses: () => false,
    lateMs: () => 0,
    close: () => {
      for (const line of open) line.kill();
      for (const client of server.clients) client.terminate();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  let count = 0;
  server.on('connection', (client) => {
    const upstream = new WebSocket(exchangeUrl, { perMessageDeflate: false });
    const channels = new Set<string>();
    const unsent: string[] = [];
    let stalled = false;
    let side = 0;
    const line: ProxiedLine = {
      number: count++,
      channels,
      get side() {
        return side;
      },
      kill: () => client.terminate(),
      stall: () => {
        stalled = true;
      },
    };
    open.add(line);
    const end = (): void => {
      open.delete(line);
      client.terminate();
      upstream.terminate();
    };
    client.on('message', (data: Buffer) => {
      const text = data.toString();
      const { method, params = [] } = JSON.parse(text) as Request;
      if (method === 'SUBSCRIPTION') {
        const other = params.flatMap((channel) => proxy.carriers(channel)).find((each) => each !== line);
        if (channels.size === 0 && other !== undefined) side = 1 - other.side;
        for (const channel of params) channels.add(channel);
      }
      if (method === 'UNSUBSCRIPTION') for (const channel of params) channels.delete(channel);
      if (upstream.readyState === WebSocket.OPEN) upstream.send(text);
      else unsent.push(text);
    });
    upstream.on('open', () => {
      for (const text of unsent) upstream.send(text);
    });
    upstream.on('message', (data: Buffer, isBinary) => {
      if (stalled || client.readyState !== WebSocket.OPEN) return;
      if (isBinary && proxy.loses(line, data)) return;
      const lateMs = proxy.lateMs(line);
      if (lateMs === 0) client.send(data, { binary: isBinary });
      else setTimeout(() => client.send(data, { binary: isBinary }), lateMs);
    });
    client.on('close', end);
    client.on('error', end);
    upstream.on('close', end);
    upstream.on('error', end);
  });
  return proxy;
}
