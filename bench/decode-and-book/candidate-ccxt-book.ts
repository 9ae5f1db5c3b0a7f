import ccxt from 'ccxt';
import { follows, serveCandidate, type Candidate, type CandidateInput } from './candidate.js';
import { decodePush } from './push-schema.js';
import { toTextBook, type CcxtOrderBook } from './ccxt-order-book.js';

/**
 * The order book class ccxt's MEXC client uses, fed by protobufjs with the least around it: text to number, then `storeArray`,
 * the call its delta handling ends in.
 */
function createCcxtBook({ frames, snapshot, priceScale, quantityScale }: CandidateInput): Candidate {
  const book = new ccxt.pro.mexc().orderBook({}) as unknown as CcxtOrderBook;

  return {
    reset() {
      // The class keeps the arrays it is given and changes them, so each pass gets its own.
      book.reset({
        bids: snapshot.bids.map(([price, quantity]) => [Number(price), Number(quantity)]),
        asks: snapshot.asks.map(([price, quantity]) => [Number(price), Number(quantity)]),
        nonce: snapshot.version,
      });
    },
    replay() {
      let levels = 0;
      for (const frame of frames) {
        const body = decodePush(frame).publicAggreDepths!;
        const toVersion = Number(body.toVersion);
        if (!follows(Number(body.fromVersion), toVersion, book.nonce!)) continue;
        for (const item of body.asks) book.asks.storeArray([Number(item.price), Number(item.quantity)]);
        for (const item of body.bids) book.bids.storeArray([Number(item.price), Number(item.quantity)]);
        book.nonce = toVersion;
        levels += body.asks.length + body.bids.length;
      }
      return levels;
    },
    book: () => toTextBook(book, book.nonce!, priceScale, quantityScale),
  };
}

await serveCandidate(createCcxtBook);
