import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { type GrpcServer, startGrpcServer } from '../../src/gateway/grpc/server.js';
import { HISTOGRAM_DOUBLES, LogHistogram } from '../../src/memory/log-histogram.js';
import { createRingBuffer } from '../../src/memory/spsc-ring-layout.js';
import { RingProducer } from '../../src/memory/spsc-ring.js';
import type { MarketData } from '../../src/model/market-data.js';
import { MessageKind } from '../../src/model/publication.js';
import type { TrackedSymbol } from '../../src/model/symbol.js';
import { PublicationHub } from '../../src/publish/publication-hub.js';
import type { Subscriber } from '../../src/publish/subscriber.js';
import { ShardEgress, type ShardEvents } from '../../src/shard/egress.js';
import { Outbound } from '../../src/shard/records.js';
import { setV8Flags } from '../../src/support/v8-flags.js';
import { servePeer } from '../support/peer.js';
import { SYMBOL, turnMessages } from './messages.js';

/** Everything of the main thread between a shard's outbound ring and gRPC streams. */
const symbol = { symbol: SYMBOL, baseAsset: 'BTC', quoteAsset: 'USDT', priceScale: 2, quantityScale: 5, id: 0, shard: 0, slot: 0 };
/** The gateway asks a market for symbols and its state and nothing else here. */
const market = {
  instance: 'bench',
  find: (name: string) => (name === SYMBOL ? (symbol as unknown as TrackedSymbol) : undefined),
  tracked: () => [symbol],
  nearest: () => undefined,
  status: () => ({ books: { tracked: 1, live: 1 }, shards: [], connections: [] }),
} as unknown as MarketData;

const subscribers: Subscriber[] = [];
let publication = 0;
const hub = new (class extends PublicationHub {
  override addClient(...args: Parameters<PublicationHub['addClient']>): Subscriber {
    const subscriber = super.addClient(...args);
    subscribers.push(subscriber);
    return subscriber;
  }
})({
  open: (_symbolId, publicationId) => (publication = publicationId),
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
const messages = turnMessages();
let server: GrpcServer | undefined;

setV8Flags();
servePeer(
  {
    start: async (): Promise<string> => {
      server = await startGrpcServer({ market, hub, logger: pino({ level: 'silent' }), host: '127.0.0.1', port: 0 });
      return server.address;
    },
    streams: () => subscribers.length,
    turns: async ({ turns }: { turns: number }): Promise<void> => {
      for (let turn = 0; turn < turns; turn++) {
        for (const message of messages) {
          if (!ring.write(Outbound.MESSAGE, publication, MessageKind.SNAPSHOT, 0, message)) throw new Error('the ring is full');
        }
        egress.drain();
        do await wait(1);
        while (subscribers.some(({ backlogBytes }) => backlogBytes > 0));
      }
    },
  },
  async () => server?.close(),
);
