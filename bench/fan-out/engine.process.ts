import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildHttp } from '../../src/gateway/http.js';
import { HISTOGRAM_DOUBLES, LogHistogram } from '../../src/memory/log-histogram.js';
import { createRingBuffer } from '../../src/memory/spsc-ring-layout.js';
import { RingProducer } from '../../src/memory/spsc-ring.js';
import type { MarketData } from '../../src/model/market-data.js';
import { MessageKind } from '../../src/model/publication.js';
import type { TrackedSymbol } from '../../src/model/symbol.js';
import { PublicationHub } from '../../src/publish/publication-hub.js';
import { ShardEgress, type ShardEvents } from '../../src/shard/egress.js';
import { MessageWriter } from '../../src/shard/message-writer.js';
import { Outbound } from '../../src/shard/records.js';
import { setV8Flags } from '../../src/support/v8-flags.js';
import { servePeer } from '../support/peer.js';
import { MESSAGES_PER_TURN, turnMessages } from './messages.js';

/** Everything of the main thread between a shard's outbound ring and the clients' sockets, as the engine wires it. */
const symbols = Array.from({ length: MESSAGES_PER_TURN }, (_, id): TrackedSymbol => {
  const symbol = `S${id}USDT`;
  return {
    symbol,
    baseAsset: `S${id}`,
    quoteAsset: 'USDT',
    priceScale: 2,
    quantityScale: 5,
    turnover: null,
    id,
    serial: id,
    shard: 0,
    slot: id,
  };
});
/** The gateway asks a market for symbols and nothing else here. */
const market = {
  instance: 'bench',
  find: (name: string) => symbols.find(({ symbol }) => symbol === name),
  tracked: () => symbols,
  nearest: () => undefined,
} as unknown as MarketData;

/** By symbol id. */
const publications: number[] = [];
const hub = new PublicationHub({
  open: (symbolId, publicationId) => (publications[symbolId] = publicationId),
  close: () => {},
  requestSnapshot: () => {},
});
const outbound = createRingBuffer(2 ** 20);
const ring = new RingProducer(outbound);
/** Nothing but messages passes here. */
const events = new Proxy({} as ShardEvents, {
  get: (_, name) => {
    throw new Error(`a record nobody wrote: ${String(name)}`);
  },
});
const egress = new ShardEgress(0, outbound, hub, events, new LogHistogram(new Float64Array(HISTOGRAM_DOUBLES)));
const frames = turnMessages().map((text) => {
  const writer = new MessageWriter();
  writer.begin();
  writer.text(text);
  return writer.frame().slice();
});
let app: FastifyInstance | undefined;

setV8Flags();
servePeer(
  {
    start: async (): Promise<number> => {
      app = await buildHttp({ market, hub, logger: pino({ level: 'silent' }) });
      await app.listen({ host: '127.0.0.1', port: 0 });
      return (app.server.address() as AddressInfo).port;
    },
    turns: async ({ turns }: { turns: number }): Promise<void> => {
      const sockets = [...app!.websocketServer.clients].map(
        (client) => (client as unknown as { _socket: { writableLength: number } })._socket,
      );
      for (let turn = 0; turn < turns; turn++) {
        for (const [i, frame] of frames.entries()) {
          if (!ring.write(Outbound.MESSAGE, publications[i]!, MessageKind.SNAPSHOT, 0, frame)) throw new Error('the ring is full');
        }
        egress.drain();
        do await wait(1);
        while (sockets.some(({ writableLength }) => writableLength > 0));
      }
    },
  },
  async () => app?.close(),
);
