import { once } from 'node:events';
import { WebSocket } from 'ws';
import { BenchExchange, type Path } from '../support/exchange.js';
import { servePeer } from '../support/peer.js';
import { symbolName } from '../support/symbol-stream.js';

/** The exchange and the client in one process, so that both ends of a message's way are timed by one clock. */
const exchange = new BenchExchange({ symbols: 1, framesPerSymbol: 1000, levelsPerFrame: 10, bookLevels: 100 });
const sockets = new Map<Path, WebSocket>();
/** Of the round at hand; `undefined` between rounds. */
let heard: { readonly path: Path; readonly take: (atMs: number, data: Buffer) => void } | undefined;

async function connect(path: Path, url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  sockets.set(path, socket);
  await once(socket, 'open');
  return socket;
}

servePeer(
  {
    start: () => exchange.listen(),
    connectRelay: async ({ port }: { port: number }) => {
      const socket = await connect('bare', `ws://127.0.0.1:${port}`);
      socket.on('message', (data: Buffer) => {
        const atMs = performance.now();
        if (heard?.path === 'bare') heard.take(atMs, data);
      });
    },
    connectEngine: async ({ url }: { url: string }) => {
      const socket = await connect('ws', `${url.replace('http', 'ws')}/ws`);
      socket.send(JSON.stringify({ op: 'subscribe', id: 1, channel: 'bbo', symbols: [symbolName(0)], intervalMs: 0 }));
      for (;;) {
        const [message] = (await once(socket, 'message')) as [Buffer];
        if (message.toString().includes('"type":"snapshot"')) break;
      }
      let lastSeq = '';
      socket.on('message', (data: Buffer) => {
        const atMs = performance.now();
        // A quote that stands is repeated after three seconds.
        const seq = /"seq":(\d+)/.exec(data.toString('latin1'))![1]!;
        if (heard?.path === 'ws' && seq !== lastSeq) heard.take(atMs, data);
        lastSeq = seq;
      });
    },
    /**
     * Sends whole passes to one side at a pace and returns, for each frame, the microseconds until the client's callback ran. Each frame is one
     * message, because it changes the best bid. Returns the last message as well.
     */
    round: async ({ path, perSecond, passes }: { path: Path; perSecond: number; passes: number }) => {
      const frames = passes * exchange.prepare(path);
      const sentAt = new Float64Array(frames);
      const micros = new Float64Array(frames);
      let received = 0;
      let last = '';
      const complete = new Promise<void>((resolve) => {
        const take = (atMs: number, data: Buffer): void => {
          micros[received] = (atMs - sentAt[received]!) * 1000;
          received++;
          if (received < frames) return;
          last = data.toString('latin1');
          heard = undefined;
          resolve();
        };
        heard = { path, take };
      });
      await exchange.pace(path, perSecond, frames, (frame) => (sentAt[frame] = performance.now()));
      await complete;
      return { micros: [...micros], last };
    },
    bestBid: () => Object.values(exchange.books())[0]!.bids[0],
  },
  async () => {
    for (const socket of sockets.values()) socket.terminate();
    await exchange.close();
  },
);
