import { POWERS_OF_TEN } from '../../src/model/decimal.js';
import { DealsBuffer } from '../../src/tape/deals-buffer.js';
import { MARK_HOLE, MARK_ID_SHIFT, MARK_SELL, TRADE_ID_BYTES } from '../../src/tape/tape-layout.js';
import { bytesField, varintField } from './push-frame.js';

/** A trade as the exchange says it. */
export interface Deal {
  readonly price: string;
  readonly quantity: string;
  /** The taker sold. */
  readonly sell: boolean;
  readonly time: number;
  /** `null` = none is sent. */
  readonly id: string | null;
}

export function deal(time: number, fields: Partial<Deal> = {}): Deal {
  return { price: '100.25', quantity: '1.5', sell: false, time, id: `id${time}`, ...fields };
}

/** A push of `aggre.deals`; with `body` 301 the retired one. */
export function dealsFrame(deals: readonly Deal[], symbol = 'BTCUSDT', body = 314): Buffer {
  const items = deals.map(({ price, quantity, sell, time, id }) =>
    bytesField(
      1,
      Buffer.concat([
        bytesField(1, price),
        bytesField(2, quantity),
        varintField(3, sell ? 2 : 1),
        varintField(4, time),
        ...(id === null ? [] : [bytesField(5, id)]),
      ]),
    ),
  );
  const channel = `spot@public.aggre.deals.v3.api.pb@100ms@${symbol}`;
  return Buffer.concat([
    bytesField(1, channel),
    bytesField(3, symbol),
    varintField(6, 1_790_281_246_250),
    bytesField(body, Buffer.concat([...items, bytesField(2, 'spot@public.aggre.deals.v3.api.pb@100ms')])),
  ]);
}

/** A body of `/api/v3/trades`: newest first, without ids. `deals` are oldest first. */
export function tradesBody(deals: readonly Deal[]): Buffer {
  const rows = deals.toReversed().map(({ price, quantity, sell, time }) => ({
    id: null,
    price,
    qty: quantity,
    quoteQty: '0',
    time,
    isBuyerMaker: sell,
    isBestMatch: true,
    tradeType: sell ? 'ASK' : 'BID',
  }));
  return Buffer.from(JSON.stringify(rows));
}

/** Trades as columns, at scales 2 and 3 unless told. */
export function columns(deals: readonly Deal[], priceScale = 2, quantityScale = 3): DealsBuffer {
  const buffer = new DealsBuffer(deals.length);
  for (const [i, { price, quantity, sell, time, id }] of deals.entries()) {
    buffer.times[i] = time;
    buffer.ticks[i] = Math.round(Number(price) * POWERS_OF_TEN[priceScale]!);
    buffer.lots[i] = Math.round(Number(quantity) * POWERS_OF_TEN[quantityScale]!);
    const idBytes = Buffer.from(id ?? '');
    buffer.ids.set(idBytes, i * TRADE_ID_BYTES);
    buffer.marks[i] = (sell ? MARK_SELL : 0) | (idBytes.length << MARK_ID_SHIFT);
  }
  buffer.count = deals.length;
  return buffer;
}

/** One line a trade: `time ticks lots side id`, with `|` in front where trades are missing before it. */
export function lines(buffer: DealsBuffer): string[] {
  return Array.from({ length: buffer.count }, (_, i) => {
    const id = Buffer.from(buffer.ids.slice(i * TRADE_ID_BYTES, i * TRADE_ID_BYTES + buffer.idLength(i))).toString();
    const hole = (buffer.marks[i]! & MARK_HOLE) === 0 ? '' : '|';
    return `${hole}${buffer.times[i]} ${buffer.ticks[i]} ${buffer.lots[i]} ${(buffer.marks[i]! & MARK_SELL) === 0 ? 'buy' : 'sell'} ${id}`.trimEnd();
  });
}
