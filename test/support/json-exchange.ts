import { type FakeExchange, startFakeExchange } from './fake-exchange.js';
import { sendJson, startScriptedHttp } from './scripted-http.js';

export interface JsonExchange {
  readonly wsUrl: string;
  readonly restUrl: string;
  readonly stream: FakeExchange;
  /** Answers of `/api/v3/depth`: there are none, so that no book can come from there. */
  depthRequests(): number;
  /** Sends a text frame to every client that subscribed the symbol's depth; returns to how many. */
  send(symbol: string, frame: string | object): number;
  close(): Promise<void>;
}

/** An exchange that takes today's subscriptions and pushes JSON text frames, whatever the test writes. */
export async function startJsonExchange(symbols: readonly string[]): Promise<JsonExchange> {
  const stream = await startFakeExchange();
  const http = await startScriptedHttp((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x');
    if (pathname === '/api/v3/exchangeInfo') return sendJson(response, 200, { symbols: symbols.map(listing) });
    if (pathname === '/api/v3/ticker/24hr' || pathname === '/api/v3/trades') return sendJson(response, 200, []);
    return sendJson(response, 503, { code: 503, msg: 'not here' });
  });
  return {
    wsUrl: stream.url,
    restUrl: http.url,
    stream,
    depthRequests: () => http.requests.filter((path) => path.startsWith('/api/v3/depth')).length,
    send: (symbol, frame) => {
      const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
      const takers = stream.clients.filter(({ socket, channels }) => {
        const carries = [...channels].some((channel) => channel.includes('.depth.') && channel.endsWith(`@${symbol}`));
        return carries && socket.readyState === socket.OPEN;
      });
      for (const { socket } of takers) socket.send(text);
      return takers.length;
    },
    close: async () => {
      await stream.close();
      await http.close();
    },
  };
}

function listing(symbol: string) {
  return { symbol, status: '1', baseAsset: symbol.slice(0, -4), quoteAsset: 'USDT', quotePrecision: 2, baseAssetPrecision: 2 };
}
