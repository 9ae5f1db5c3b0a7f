import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { type BookPriceLevel, OrderBook } from 'tardis-dev';
import { WebSocket } from 'ws';
import { decodePush, type DepthBody, type DepthItem } from '../decode-and-book/push-schema.js';
import type { Candidate, Level, ShownBook, Told } from './candidate.js';

interface Snapshot {
  readonly lastUpdateId: number;
  readonly bids: readonly (readonly [price: string, quantity: string])[];
  readonly asks: readonly (readonly [price: string, quantity: string])[];
}

interface Followed {
  readonly book: OrderBook;
  /** Pushes before the snapshot; `undefined` once it is there. */
  early: DepthBody[] | undefined;
}

const noDate = new Date(0);
/** Between two requests for a first snapshot. */
const RETRY_MS = 500;

/**
 * tardis-dev's `OrderBook` on the same pushes. tardis-dev has no real-time feed of MEXC, so subscription, decoding and the first snapshot are done
 * here, the snapshot joined to the pushes by their versions; from then on the class gets every push that can be decoded, as it gets every change
 * from tardis-dev's own feeds. It is never connected again.
 */
export class TardisCandidate implements Candidate {
  readonly name = 'tardis-dev OrderBook';
  readonly told: Told[] = [];
  readonly #wsUrl: string;
  readonly #restUrl: string;
  readonly #sockets: WebSocket[] = [];
  readonly #followed = new Map<string, Followed>();
  #closed = false;

  constructor(wsUrl: string, restUrl: string) {
    this.#wsUrl = wsUrl;
    this.#restUrl = restUrl;
  }

  async follow(symbols: readonly string[]): Promise<void> {
    const socket = new WebSocket(this.#wsUrl, { perMessageDeflate: false });
    this.#sockets.push(socket);
    for (const symbol of symbols) this.#followed.set(symbol, { book: new OrderBook(), early: [] });
    socket.on('error', () => socket.terminate());
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#take(data);
    });
    await once(socket, 'open');
    const params = symbols.map((symbol) => `spot@public.aggre.depth.v3.api.pb@100ms@${symbol}`);
    socket.send(JSON.stringify({ method: 'SUBSCRIPTION', params, id: 1 }));
  }

  shown(symbol: string): ShownBook | undefined {
    const followed = this.#followed.get(symbol);
    return followed === undefined || followed.early !== undefined
      ? undefined
      : { bids: levels(followed.book.bids()), asks: levels(followed.book.asks()) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const socket of this.#sockets) socket.terminate();
    return Promise.resolve();
  }

  #take(bytes: Buffer): void {
    let push;
    try {
      push = decodePush(bytes);
    } catch {
      // Never seen by the class.
      return;
    }
    const { symbol, publicAggreDepths: body } = push;
    const followed = this.#followed.get(symbol);
    if (followed === undefined || body === undefined || body === null) return;
    if (followed.early === undefined) return apply(followed.book, body);
    if (followed.early.push(body) === 1) void this.#start(symbol, followed);
  }

  async #start(symbol: string, followed: Followed): Promise<void> {
    const early = followed.early!;
    while (!this.#closed) {
      const snapshot = await this.#snapshot(symbol);
      if (snapshot !== undefined && snapshot.lastUpdateId + 1 >= Number(early[0]!.fromVersion)) {
        followed.book.update(change(true, snapshot.bids.map(fromText), snapshot.asks.map(fromText)));
        for (const body of early) if (Number(body.toVersion) > snapshot.lastUpdateId) apply(followed.book, body);
        followed.early = undefined;
        return;
      }
      await wait(RETRY_MS);
    }
  }

  /** `undefined` when the exchange does not give it. */
  async #snapshot(symbol: string): Promise<Snapshot | undefined> {
    try {
      const response = await fetch(`${this.#restUrl}/api/v3/depth?symbol=${encodeURIComponent(symbol)}&limit=2000`);
      return response.ok ? ((await response.json()) as Snapshot) : undefined;
    } catch {
      return undefined;
    }
  }
}

function* levels(side: Iterable<BookPriceLevel>): Iterable<Level> {
  for (const { price, amount } of side) yield [price, amount];
}

function apply(book: OrderBook, { bids, asks }: DepthBody): void {
  book.update(change(false, bids.map(fromItem), asks.map(fromItem)));
}

const fromText = ([price, quantity]: readonly [string, string]): BookPriceLevel => ({ price: Number(price), amount: Number(quantity) });
const fromItem = ({ price, quantity }: DepthItem): BookPriceLevel => ({ price: Number(price), amount: Number(quantity) });

function change(isSnapshot: boolean, bids: BookPriceLevel[], asks: BookPriceLevel[]) {
  return {
    type: 'book_change' as const,
    symbol: '',
    exchange: 'binance' as const,
    isSnapshot,
    bids,
    asks,
    timestamp: noDate,
    localTimestamp: noDate,
  };
}
