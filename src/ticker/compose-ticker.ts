import type { BookCopy } from '../model/book-copy.js';
import { BookState } from '../model/book-state.js';
import { formatDecimal } from '../model/decimal.js';
import type { Ticker } from '../model/ticker.js';
import type { Trade } from '../model/trade.js';
import { changePercent, difference, isZero, padDecimal, quotient, timesHundred } from './decimal-text.js';
import type { HeldFigures } from './ticker-words.js';

/** The newest trade of the tape. */
export type LastTrade = Pick<Trade, 'price' | 'quantity' | 'timestamp'>;

const DAY_MS = 86_400_000;
/** Decimals of a change in percent. */
const PERCENT_DECIMALS = 4;
/** Decimals of a mean price beyond those of a price. */
const MEAN_EXTRA_DECIMALS = 2;

type LastFigures = Pick<Ticker, 'last_price' | 'last_quantity'>;

/**
 * The ticker of a symbol from everything there is: the exchange's figures, the best levels of the book, the newest trade. `book` holds at
 * least the best level of each side.
 *
 * Price and quantity of the last trade are those of the tape, unless the exchange's figures are newer. Change and percent follow from last
 * and open price, so that the three always fit; only where one of those is missing they are the exchange's own.
 */
export function composeTicker(symbol: string, held: HeldFigures, book: Readonly<BookCopy>, trade: LastTrade | null): Ticker {
  const { priceScale, quantityScale } = book;
  const price = (text: string | null): string | null => (text === null ? null : padDecimal(text, priceScale));
  const quantity = (text: string | null): string | null => (text === null ? null : padDecimal(text, quantityScale));
  const { last_price, last_quantity }: LastFigures =
    trade !== null && trade.timestamp >= held.lastTimeMs
      ? { last_price: trade.price, last_quantity: trade.quantity }
      : { last_price: price(held.lastPrice), last_quantity: quantity(quantityOf(trade, held.lastPrice) ?? held.lastQuantity) };
  const open = held.openPrice;
  const live = book.state === BookState.LIVE;
  const hasBid = live && book.bidCount > 0;
  const hasAsk = live && book.askCount > 0;
  return {
    symbol,
    price_change: price(last_price !== null && open !== null ? difference(last_price, open) : held.priceChange),
    price_change_percent:
      (last_price !== null && open !== null ? changePercent(last_price, open, PERCENT_DECIMALS) : null) ??
      (held.changeRate === null ? null : timesHundred(held.changeRate)),
    weighted_avg_price:
      held.volume === null || held.quoteVolume === null ? null : quotient(held.quoteVolume, held.volume, priceScale + MEAN_EXTRA_DECIMALS),
    last_price,
    last_quantity,
    bid_price: hasBid ? formatDecimal(book.bidTicks[0]!, priceScale) : null,
    bid_quantity: hasBid ? formatDecimal(book.bidLots[0]!, quantityScale) : null,
    ask_price: hasAsk ? formatDecimal(book.askTicks[0]!, priceScale) : null,
    ask_quantity: hasAsk ? formatDecimal(book.askLots[0]!, quantityScale) : null,
    open_price: price(open),
    high_price: price(held.highPrice),
    low_price: price(held.lowPrice),
    volume: quantity(held.volume),
    quote_volume: held.quoteVolume,
    open_time: held.closeTimeMs === 0 ? null : held.closeTimeMs - DAY_MS,
    close_time: held.closeTimeMs === 0 ? null : held.closeTimeMs,
    first_id: null,
    last_id: null,
    count: null,
  };
}

/** The exchange's price is newer, but may be that of the trade we know. */
function quantityOf(trade: LastTrade | null, lastPrice: string | null): string | null {
  return trade !== null && lastPrice !== null && isZero(difference(trade.price, lastPrice)) ? trade.quantity : null;
}
