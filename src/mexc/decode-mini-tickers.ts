import { canonicalDecimal, type TakeFigures } from '../model/ticker-figures.js';
import { miniTicker } from './decode-push.js';
import type { MiniTicker } from './messages.js';
import { WireReader, WireType } from './wire.js';

const CHANNEL_FIELD = 1;
const SEND_TIME_FIELD = 6;
const MINI_TICKER_FIELD = 309;
const MINI_TICKERS_FIELD = 310;
const ITEM_FIELD = 1;
const SYMBOL_FIELD = 1;

/** End of a channel whose `zonedRate` is the change of the last 24 hours, and not of a day somewhere. */
const ROLLING_DAY = '@24H';

/**
 * Reads a push of mini tickers (body 310, or 309 with a single one) and hands on the figures of the symbols that are wanted; the others are
 * passed over. Two names mean the opposite of REST's: `volume` is the turnover in quote units here, `quantity` the volume in base units.
 *
 * `bytes` are not shared memory, which cannot be decoded as text. Throws CodedError FRAME_TRUNCATED or FRAME_MALFORMED; what was handed on before stands.
 */
export function decodeMiniTickers(bytes: Uint8Array, wanted: (symbol: string) => boolean, take: TakeFigures): void {
  const reader = new WireReader(bytes);
  const end = bytes.length;
  let rolling = false;
  let timeMs: number | null = null;
  // The wrapper first: its fields may come in any order.
  const bodies: number[] = [];
  while (reader.position < end) {
    const start = reader.position;
    reader.tag(end);
    if (reader.field === CHANNEL_FIELD && reader.wireType === WireType.BYTES) rolling = reader.text(end).endsWith(ROLLING_DAY);
    else if (reader.field === SEND_TIME_FIELD && reader.wireType === WireType.VARINT) timeMs = reader.int64(end);
    else {
      if (reader.field === MINI_TICKER_FIELD || reader.field === MINI_TICKERS_FIELD) bodies.push(start);
      reader.skip(end);
    }
  }
  const readItem = (stop: number): void => {
    const start = reader.position;
    const symbol = symbolOf(reader, stop);
    if (symbol === undefined || !wanted(symbol)) {
      reader.position = stop;
      return;
    }
    reader.position = start;
    take(symbol, figuresOf(miniTicker.read(reader, stop), timeMs, rolling));
  };
  for (const start of bodies) {
    reader.position = start;
    reader.tag(end);
    reader.expect(WireType.BYTES);
    const stop = reader.lengthEnd(end);
    // Fields of `reader` change with every tag read.
    if (reader.field === MINI_TICKER_FIELD) readItem(stop);
    else readItems(reader, stop, readItem);
  }
}

function readItems(reader: WireReader, end: number, readItem: (stop: number) => void): void {
  while (reader.position < end) {
    reader.tag(end);
    if (reader.field !== ITEM_FIELD) {
      reader.skip(end);
      continue;
    }
    reader.expect(WireType.BYTES);
    readItem(reader.lengthEnd(end));
  }
}

function symbolOf(reader: WireReader, end: number): string | undefined {
  while (reader.position < end) {
    reader.tag(end);
    if (reader.field === SYMBOL_FIELD && reader.wireType === WireType.BYTES) return reader.text(end);
    reader.skip(end);
  }
  return undefined;
}

function figuresOf(item: MiniTicker, timeMs: number | null, rolling: boolean) {
  const figure = (text: string | undefined, signed = false): string | null => (text === undefined ? null : canonicalDecimal(text, signed));
  return {
    timeMs,
    lastPrice: figure(item.price),
    lastQuantity: null,
    openPrice: null,
    highPrice: figure(item.high),
    lowPrice: figure(item.low),
    volume: figure(item.quantity),
    quoteVolume: figure(item.volume),
    priceChange: null,
    changeRate: rolling ? figure(item.zonedRate, true) : null,
  };
}
