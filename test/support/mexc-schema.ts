import protobuf from 'protobufjs';

/** MEXC's published schema of the public pushes, for an encoder and decoder that are not ours. */
const source = `
syntax = "proto3";
message PushDataV3ApiWrapper {
  string channel = 1;
  optional string symbol = 3;
  optional string symbolId = 4;
  optional int64 createTime = 5;
  optional int64 sendTime = 6;
  oneof body {
    PublicDealsV3Api publicDeals = 301;
    PublicIncreaseDepthsV3Api publicIncreaseDepths = 302;
    PublicLimitDepthsV3Api publicLimitDepths = 303;
    PublicBookTickerV3Api publicBookTicker = 305;
    PublicSpotKlineV3Api publicSpotKline = 308;
    PublicMiniTickerV3Api publicMiniTicker = 309;
    PublicMiniTickersV3Api publicMiniTickers = 310;
    PublicBookTickerBatchV3Api publicBookTickerBatch = 311;
    PublicIncreaseDepthsBatchV3Api publicIncreaseDepthsBatch = 312;
    PublicAggreDepthsV3Api publicAggreDepths = 313;
    PublicAggreDealsV3Api publicAggreDeals = 314;
    PublicAggreBookTickerV3Api publicAggreBookTicker = 315;
  }
}
message Item { string price = 1; string quantity = 2; }
message PublicDealsV3Api { repeated PublicDealsV3ApiItem deals = 1; string eventType = 2; }
message PublicDealsV3ApiItem { string price = 1; string quantity = 2; int32 tradeType = 3; int64 time = 4; }
message PublicIncreaseDepthsV3Api { repeated Item asks = 1; repeated Item bids = 2; string eventType = 3; string version = 4; }
message PublicLimitDepthsV3Api { repeated Item asks = 1; repeated Item bids = 2; string eventType = 3; string version = 4; int64 lastOrderCreateTime = 5; }
message PublicBookTickerV3Api { string bidPrice = 1; string bidQuantity = 2; string askPrice = 3; string askQuantity = 4; }
message PublicSpotKlineV3Api {
  string interval = 1; int64 windowStart = 2; string openingPrice = 3; string closingPrice = 4; string highestPrice = 5;
  string lowestPrice = 6; string volume = 7; string amount = 8; int64 windowEnd = 9;
}
message PublicMiniTickerV3Api {
  string symbol = 1; string price = 2; string rate = 3; string zonedRate = 4; string high = 5; string low = 6; string volume = 7; string quantity = 8;
  string lastCloseRate = 9; string lastCloseZonedRate = 10; string lastCloseHigh = 11; string lastCloseLow = 12;
}
message PublicMiniTickersV3Api { repeated PublicMiniTickerV3Api items = 1; }
message PublicBookTickerBatchV3Api { repeated PublicBookTickerV3Api items = 1; string version = 2; int64 lastOrderCreateTime = 3; }
message PublicIncreaseDepthsBatchV3Api { repeated PublicIncreaseDepthsV3Api items = 1; string eventType = 2; }
message PublicAggreDepthsV3Api {
  repeated Item asks = 1; repeated Item bids = 2; string eventType = 3; string fromVersion = 4; string toVersion = 5; int64 lastOrderCreateTime = 6;
}
message PublicAggreDealsV3Api { repeated PublicAggreDealsV3ApiItem deals = 1; string eventType = 2; }
message PublicAggreDealsV3ApiItem { string price = 1; string quantity = 2; int32 tradeType = 3; int64 time = 4; string tradeId = 5; }
message PublicAggreBookTickerV3Api {
  string bidPrice = 1; string bidQuantity = 2; string askPrice = 3; string askQuantity = 4; string version = 5; int64 lastOrderCreateTime = 6;
}
`;

const schema = protobuf.parse(source, { keepCase: true }).root;
const wrapper = schema.lookupType('PushDataV3ApiWrapper');

/** Names of the bodies, in the order of their fields. */
export const bodyNames: readonly string[] = wrapper.oneofs['body']!.oneof;

/** The message type of a body. */
export function bodyType(name: string): protobuf.Type {
  return wrapper.fields[name]!.resolve().resolvedType as protobuf.Type;
}

/** Encodes a push given in protobuf's JSON shape. */
export function encodePush(push: Readonly<Record<string, unknown>>): Uint8Array {
  return Uint8Array.from(wrapper.encode(wrapper.fromObject(push)).finish());
}

/** Decodes a push into protobuf's JSON shape: only fields that were on the wire, whole numbers as numbers. */
export function decodeBySchema(bytes: Uint8Array): Record<string, unknown> {
  return wrapper.toObject(wrapper.decode(bytes), { longs: Number, defaults: false });
}
