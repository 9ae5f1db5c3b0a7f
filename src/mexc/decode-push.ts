import type {
  AggreBookTicker,
  AggreDeal,
  AggreDeals,
  AggreDepths,
  BodyByKind,
  BookTicker,
  BookTickerBatch,
  Deal,
  Deals,
  IncreaseDepths,
  IncreaseDepthsBatch,
  Level,
  LimitDepths,
  MiniTicker,
  MiniTickers,
  Push,
  PushBody,
  SpotKline,
} from './messages.js';
import { int32, int64, list, message, text, type MessageType } from './message-type.js';
import { WireReader, WireType } from './wire.js';

const level = message<Level>({ price: text(1), quantity: text(2) });

const deal = message<Deal>({ price: text(1), quantity: text(2), tradeType: int32(3), time: int64(4) });

const aggreDeal = message<AggreDeal>({ price: text(1), quantity: text(2), tradeType: int32(3), time: int64(4), tradeId: text(5) });

const increaseDepths = message<IncreaseDepths>({ asks: list(1, level), bids: list(2, level), eventType: text(3), version: text(4) });

const bookTicker = message<BookTicker>({ bidPrice: text(1), bidQuantity: text(2), askPrice: text(3), askQuantity: text(4) });

const miniTicker = message<MiniTicker>({
  symbol: text(1),
  price: text(2),
  rate: text(3),
  zonedRate: text(4),
  high: text(5),
  low: text(6),
  volume: text(7),
  quantity: text(8),
  lastCloseRate: text(9),
  lastCloseZonedRate: text(10),
  lastCloseHigh: text(11),
  lastCloseLow: text(12),
});

type BodyTypes = { readonly [K in keyof BodyByKind]: readonly [field: number, type: MessageType<BodyByKind[K]>] };

const bodyTypes: BodyTypes = {
  deals: [301, message<Deals>({ deals: list(1, deal), eventType: text(2) })],
  increaseDepths: [302, increaseDepths],
  limitDepths: [
    303,
    message<LimitDepths>({
      asks: list(1, level),
      bids: list(2, level),
      eventType: text(3),
      version: text(4),
      lastOrderCreateTime: int64(5),
    }),
  ],
  bookTicker: [305, bookTicker],
  spotKline: [
    308,
    message<SpotKline>({
      interval: text(1),
      windowStart: int64(2),
      openingPrice: text(3),
      closingPrice: text(4),
      highestPrice: text(5),
      lowestPrice: text(6),
      volume: text(7),
      amount: text(8),
      windowEnd: int64(9),
    }),
  ],
  miniTicker: [309, miniTicker],
  miniTickers: [310, message<MiniTickers>({ items: list(1, miniTicker) })],
  bookTickerBatch: [311, message<BookTickerBatch>({ items: list(1, bookTicker), version: text(2), lastOrderCreateTime: int64(3) })],
  increaseDepthsBatch: [312, message<IncreaseDepthsBatch>({ items: list(1, increaseDepths), eventType: text(2) })],
  aggreDepths: [
    313,
    message<AggreDepths>({
      asks: list(1, level),
      bids: list(2, level),
      eventType: text(3),
      fromVersion: text(4),
      toVersion: text(5),
      lastOrderCreateTime: int64(6),
    }),
  ],
  aggreDeals: [314, message<AggreDeals>({ deals: list(1, aggreDeal), eventType: text(2) })],
  aggreBookTicker: [
    315,
    message<AggreBookTicker>({
      bidPrice: text(1),
      bidQuantity: text(2),
      askPrice: text(3),
      askQuantity: text(4),
      version: text(5),
      lastOrderCreateTime: int64(6),
    }),
  ],
};

const bodyByField = new Map(Object.entries(bodyTypes).map(([kind, [field, type]]) => [field, { kind, type: type }]));

/** Fields of the wrapper from here on are bodies. */
const FIRST_BODY_FIELD = 301;

interface MutablePush {
  channel?: string;
  symbol?: string;
  symbolId?: string;
  createTime?: number;
  sendTime?: number;
  body: PushBody;
}

/**
 * Decodes one binary message of MEXC's spot stream (`PushDataV3ApiWrapper`), any public body. Unknown fields are passed
 * over; of several bodies the last known one counts, as for any protobuf oneof. An empty frame is a push with no body.
 *
 * For tools, tests and low-rate channels: it allocates an object per level. The book's own path reads depth pushes
 * into columns instead.
 *
 * Throws CodedError FRAME_TRUNCATED or FRAME_MALFORMED, with the byte `offset` in its details.
 */
export function decodePush(bytes: Uint8Array): Push {
  const reader = new WireReader(bytes);
  const end = bytes.length;
  const push: MutablePush = { body: { kind: 'none' } };
  while (reader.position < end) {
    reader.tag(end);
    switch (reader.field) {
      case 1:
        push.channel = readText(reader, end);
        break;
      case 3:
        push.symbol = readText(reader, end);
        break;
      case 4:
        push.symbolId = readText(reader, end);
        break;
      case 5:
        push.createTime = readTime(reader, end);
        break;
      case 6:
        push.sendTime = readTime(reader, end);
        break;
      default:
        push.body = readBody(reader, end, push.body);
    }
  }
  return push;
}

function readText(reader: WireReader, end: number): string {
  reader.expect(WireType.BYTES);
  return reader.text(end);
}

function readTime(reader: WireReader, end: number): number {
  reader.expect(WireType.VARINT);
  return reader.int64(end);
}

/** The body behind the tag just read, or `present` when the field is none or one that no schema we know defines. */
function readBody(reader: WireReader, end: number, present: PushBody): PushBody {
  const known = bodyByField.get(reader.field);
  if (known !== undefined) {
    reader.expect(WireType.BYTES);
    const body = known.type.read(reader, reader.lengthEnd(end));
    // The pair of kind and type comes from one entry of `bodyTypes`.
    return { kind: known.kind, ...body } as PushBody;
  }
  const { field, wireType } = reader;
  reader.skip(end);
  const replaces = present.kind === 'none' && field >= FIRST_BODY_FIELD && wireType === WireType.BYTES;
  return replaces ? { kind: 'unknown', field } : present;
}
