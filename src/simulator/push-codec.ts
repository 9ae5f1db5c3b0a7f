import protobuf from 'protobufjs/light.js';

/**
 * The public part of MEXC's published push schema (repository mexcdevelop/websocket-proto), as a reflection tree:
 * nothing has to be generated, or copied beside the built files. Bodies 301, 302 and 312 are retired; they stay so that old
 * frames can be read. Private bodies are left out.
 */

export interface PushLevel {
  readonly price: string;
  /** Absolute quantity at the price; `0` removes the level. */
  readonly quantity: string;
}

export interface PushDeal {
  readonly price: string;
  readonly quantity: string;
  /** The taker's side: 1 buy, 2 sell. */
  readonly tradeType: number;
  /** Unix ms. */
  readonly time: number;
  readonly tradeId?: string;
}

/** A side that does not exist is left out. */
export interface PushQuote {
  readonly bidPrice?: string;
  readonly bidQuantity?: string;
  readonly askPrice?: string;
  readonly askQuantity?: string;
  readonly version?: string;
  readonly lastOrderCreateTime?: number;
}

export interface PushMiniTicker {
  readonly symbol: string;
  readonly price: string;
  readonly rate: string;
  readonly zonedRate: string;
  readonly high: string;
  readonly low: string;
  /** Turnover in the quote coin, in spite of its name. */
  readonly volume: string;
  /** Volume in the base coin. */
  readonly quantity: string;
  readonly lastCloseRate: string;
  readonly lastCloseZonedRate: string;
  readonly lastCloseHigh: string;
  readonly lastCloseLow: string;
}

interface PushBody {
  readonly publicDeals?: { readonly deals?: readonly PushDeal[]; readonly eventType?: string };
  readonly publicIncreaseDepths?: {
    readonly asks?: readonly PushLevel[];
    readonly bids?: readonly PushLevel[];
    readonly eventType?: string;
    readonly version?: string;
  };
  readonly publicLimitDepths?: {
    readonly asks?: readonly PushLevel[];
    readonly bids?: readonly PushLevel[];
    readonly eventType?: string;
    readonly version?: string;
    readonly lastOrderCreateTime?: number;
  };
  readonly publicBookTicker?: PushQuote;
  readonly publicSpotKline?: {
    readonly interval: string;
    /** Seconds, like `windowEnd`. */
    readonly windowStart: number;
    readonly openingPrice: string;
    readonly closingPrice: string;
    readonly highestPrice: string;
    readonly lowestPrice: string;
    readonly volume: string;
    readonly amount: string;
    readonly windowEnd: number;
  };
  readonly publicMiniTicker?: PushMiniTicker;
  readonly publicMiniTickers?: { readonly items?: readonly PushMiniTicker[] };
  readonly publicBookTickerBatch?: {
    readonly items?: readonly PushQuote[];
    readonly version?: string;
    readonly lastOrderCreateTime?: number;
  };
  readonly publicAggreDepths?: {
    readonly asks?: readonly PushLevel[];
    readonly bids?: readonly PushLevel[];
    readonly eventType?: string;
    readonly fromVersion?: string;
    readonly toVersion?: string;
    readonly lastOrderCreateTime?: number;
  };
  readonly publicAggreDeals?: { readonly deals?: readonly PushDeal[]; readonly eventType?: string };
  readonly publicAggreBookTicker?: PushQuote;
}

/** One push: the wrapper and exactly one body. Times are Unix ms. */
export interface PushMessage extends PushBody {
  readonly channel: string;
  readonly symbol?: string;
  readonly symbolId?: string;
  readonly createTime?: number;
  readonly sendTime?: number;
}

type FieldSpec = readonly [id: number, type: string, repeated?: 'repeated'];

function message(fields: Readonly<Record<string, FieldSpec>>): protobuf.IType {
  const entries = Object.entries(fields).map(
    ([name, [id, type, rule]]) => [name, rule === undefined ? { id, type } : { id, type, rule }] as const,
  );
  return { fields: Object.fromEntries(entries) };
}

const level = message({ price: [1, 'string'], quantity: [2, 'string'] });
const deal = { price: [1, 'string'], quantity: [2, 'string'], tradeType: [3, 'int32'], time: [4, 'int64'] } as const;
const quote = { bidPrice: [1, 'string'], bidQuantity: [2, 'string'], askPrice: [3, 'string'], askQuantity: [4, 'string'] } as const;
const sides = (item: string) => ({ asks: [1, item, 'repeated'], bids: [2, item, 'repeated'], eventType: [3, 'string'] }) as const;

const schema: protobuf.INamespace = {
  nested: {
    PushDataV3ApiWrapper: message({
      channel: [1, 'string'],
      symbol: [3, 'string'],
      symbolId: [4, 'string'],
      createTime: [5, 'int64'],
      sendTime: [6, 'int64'],
      publicDeals: [301, 'PublicDealsV3Api'],
      publicIncreaseDepths: [302, 'PublicIncreaseDepthsV3Api'],
      publicLimitDepths: [303, 'PublicLimitDepthsV3Api'],
      publicBookTicker: [305, 'PublicBookTickerV3Api'],
      publicSpotKline: [308, 'PublicSpotKlineV3Api'],
      publicMiniTicker: [309, 'PublicMiniTickerV3Api'],
      publicMiniTickers: [310, 'PublicMiniTickersV3Api'],
      publicBookTickerBatch: [311, 'PublicBookTickerBatchV3Api'],
      publicIncreaseDepthsBatch: [312, 'PublicIncreaseDepthsBatchV3Api'],
      publicAggreDepths: [313, 'PublicAggreDepthsV3Api'],
      publicAggreDeals: [314, 'PublicAggreDealsV3Api'],
      publicAggreBookTicker: [315, 'PublicAggreBookTickerV3Api'],
    }),
    LevelItem: level,
    PublicDealsV3ApiItem: message(deal),
    PublicDealsV3Api: message({ deals: [1, 'PublicDealsV3ApiItem', 'repeated'], eventType: [2, 'string'] }),
    PublicIncreaseDepthsV3Api: message({ ...sides('LevelItem'), version: [4, 'string'] }),
    PublicIncreaseDepthsBatchV3Api: message({ items: [1, 'PublicIncreaseDepthsV3Api', 'repeated'], eventType: [2, 'string'] }),
    PublicLimitDepthsV3Api: message({ ...sides('LevelItem'), version: [4, 'string'], lastOrderCreateTime: [5, 'int64'] }),
    PublicBookTickerV3Api: message(quote),
    PublicBookTickerBatchV3Api: message({
      items: [1, 'PublicBookTickerV3Api', 'repeated'],
      version: [2, 'string'],
      lastOrderCreateTime: [3, 'int64'],
    }),
    PublicAggreBookTickerV3Api: message({ ...quote, version: [5, 'string'], lastOrderCreateTime: [6, 'int64'] }),
    PublicSpotKlineV3Api: message({
      interval: [1, 'string'],
      windowStart: [2, 'int64'],
      openingPrice: [3, 'string'],
      closingPrice: [4, 'string'],
      highestPrice: [5, 'string'],
      lowestPrice: [6, 'string'],
      volume: [7, 'string'],
      amount: [8, 'string'],
      windowEnd: [9, 'int64'],
    }),
    PublicMiniTickerV3Api: message({
      symbol: [1, 'string'],
      price: [2, 'string'],
      rate: [3, 'string'],
      zonedRate: [4, 'string'],
      high: [5, 'string'],
      low: [6, 'string'],
      volume: [7, 'string'],
      quantity: [8, 'string'],
      lastCloseRate: [9, 'string'],
      lastCloseZonedRate: [10, 'string'],
      lastCloseHigh: [11, 'string'],
      lastCloseLow: [12, 'string'],
    }),
    PublicMiniTickersV3Api: message({ items: [1, 'PublicMiniTickerV3Api', 'repeated'] }),
    PublicAggreDepthsV3Api: message({
      ...sides('LevelItem'),
      fromVersion: [4, 'string'],
      toVersion: [5, 'string'],
      lastOrderCreateTime: [6, 'int64'],
    }),
    PublicAggreDealsV3ApiItem: message({ ...deal, tradeId: [5, 'string'] }),
    PublicAggreDealsV3Api: message({ deals: [1, 'PublicAggreDealsV3ApiItem', 'repeated'], eventType: [2, 'string'] }),
  },
};

const wrapper = protobuf.Root.fromJSON(schema).lookupType('PushDataV3ApiWrapper');

/** The bytes of one push as the exchange would send them: ascending field numbers, absent fields absent. The result is the caller's. */
export function encodePush(push: PushMessage): Uint8Array {
  return wrapper.encode(push).finish();
}

/** Reads a push; int64 fields become numbers. Throws protobufjs' own errors on bytes that are no push. */
export function decodePush(bytes: Uint8Array): PushMessage {
  return wrapper.toObject(wrapper.decode(bytes), { longs: Number }) as unknown as PushMessage;
}
