import ccxt from 'ccxt';
import { toTextBook, type CcxtOrderBook } from './ccxt-order-book.js';
import { serveCandidate, type Candidate, type CandidateInput } from './candidate.js';
import { countLevels } from './model-book.js';
import { decodePush } from './push-schema.js';

/** What is used of ccxt's MEXC class; its own types are looser. */
interface CcxtMexc {
  orderbooks: Record<string, CcxtOrderBook>;
  markets_by_id: Record<string, object[]>;
  orderBook(snapshot: object): CcxtOrderBook;
  decodeProtoMsg(bytes: Uint8Array): object;
  handleMessage(client: object, message: Uint8Array): void;
}

/** ccxt's MEXC client as it ships: each frame goes through `handleMessage`, its protobufjs decoding and its safe accessors. */
async function createCcxtClient({ frames, snapshot, priceScale, quantityScale }: CandidateInput): Promise<Candidate> {
  const exchange = new ccxt.pro.mexc() as unknown as CcxtMexc;
  const first = decodePush(frames[0]!);
  const last = decodePush(frames.at(-1)!).publicAggreDepths!;
  const { symbol } = first;
  const firstVersion = Number(first.publicAggreDepths!.fromVersion);
  exchange.markets_by_id = { [symbol]: [{ id: symbol, symbol, spot: true, type: 'spot' }] };
  const client = {
    subscriptions: {},
    resolve() {
      // Nobody waits for the book.
    },
    reject(error: unknown) {
      throw error;
    },
  };
  await decoderLoaded(exchange, frames[0]!);
  const levels = frames.reduce((sum, frame) => sum + countLevels(frame), 0);
  const book = exchange.orderBook({});
  exchange.orderbooks[symbol] = book;

  return {
    reset() {
      book.reset({
        bids: snapshot.bids.map(([price, quantity]) => [Number(price), Number(quantity)]),
        asks: snapshot.asks.map(([price, quantity]) => [Number(price), Number(quantity)]),
        // ccxt skips a push that begins before the version it holds, the one that straddles the snapshot included. The book
        // is exact only with that push, so it is told an older version.
        nonce: Math.min(snapshot.version, firstVersion),
      });
    },
    replay() {
      for (let i = 0; i < frames.length; i++) exchange.handleMessage(client, frames[i]!);
      return levels;
    },
    book() {
      // ccxt keeps the version a push begins with, not the one it leads to.
      if (book.nonce !== Number(last.fromVersion)) throw new Error(`ends at version ${book.nonce}, not at ${last.fromVersion}`);
      return toTextBook(book, Number(last.toVersion), priceScale, quantityScale);
    },
  };
}

/** ccxt loads its MEXC decoder in the background and does not say when: try until it decodes. */
async function decoderLoaded(exchange: CcxtMexc, frame: Uint8Array): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      exchange.decodeProtoMsg(frame);
      return;
    } catch (error) {
      if (attempt === 1000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

await serveCandidate(createCcxtClient);
