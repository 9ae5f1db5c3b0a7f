import { OrderBook, type BookPriceLevel } from 'tardis-dev';
import { follows, serveCandidate, type Candidate, type CandidateInput } from './candidate.js';
import { decodePush, type DepthItem } from './push-schema.js';
import type { TextBook, TextLevel } from './stream.js';

/** tardis-dev's `OrderBook` (red-black trees of objects), fed by protobufjs. */
function createTardisBook({ frames, snapshot, priceScale, quantityScale }: CandidateInput): Candidate {
  let book = new OrderBook();
  let lastVersion = 0;

  return {
    reset() {
      book = new OrderBook();
      book.update(bookChange(true, snapshot.bids.map(fromText), snapshot.asks.map(fromText)));
      lastVersion = snapshot.version;
    },
    replay() {
      let levels = 0;
      for (const frame of frames) {
        const body = decodePush(frame).publicAggreDepths!;
        const toVersion = Number(body.toVersion);
        if (!follows(Number(body.fromVersion), toVersion, lastVersion)) continue;
        book.update(bookChange(false, body.bids.map(fromItem), body.asks.map(fromItem)));
        lastVersion = toVersion;
        levels += body.bids.length + body.asks.length;
      }
      return levels;
    },
    book(): TextBook {
      const toText = (level: BookPriceLevel): TextLevel => [level.price.toFixed(priceScale), level.amount.toFixed(quantityScale)];
      return { version: lastVersion, bids: Array.from(book.bids(), toText), asks: Array.from(book.asks(), toText) };
    },
  };
}

const fromText = ([price, quantity]: TextLevel): BookPriceLevel => ({ price: Number(price), amount: Number(quantity) });
const fromItem = (item: DepthItem): BookPriceLevel => ({ price: Number(item.price), amount: Number(item.quantity) });
const noDate = new Date(0);

function bookChange(isSnapshot: boolean, bids: BookPriceLevel[], asks: BookPriceLevel[]) {
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

await serveCandidate(createTardisBook);
