import protobuf from 'protobufjs';

/** The part of the exchange's published schema (mexcdevelop/websocket-proto) that an incremental depth push uses. */
const schema = `
  syntax = "proto3";
  message PushDataV3ApiWrapper {
    string channel = 1;
    optional string symbol = 3;
    optional string symbolId = 4;
    optional int64 createTime = 5;
    optional int64 sendTime = 6;
    oneof body { PublicAggreDepthsV3Api publicAggreDepths = 313; }
  }
  message PublicAggreDepthsV3Api {
    repeated PublicAggreDepthV3ApiItem asks = 1;
    repeated PublicAggreDepthV3ApiItem bids = 2;
    string eventType = 3;
    string fromVersion = 4;
    string toVersion = 5;
    int64 lastOrderCreateTime = 6;
  }
  message PublicAggreDepthV3ApiItem { string price = 1; string quantity = 2; }
`;

/** A price and the new quantity at it, decimal text; quantity 0 removes the level. */
export interface DepthItem {
  readonly price: string;
  readonly quantity: string;
}

/** Body of an incremental depth push, asks ascending and bids descending. */
export interface DepthBody {
  readonly asks: readonly DepthItem[];
  readonly bids: readonly DepthItem[];
  readonly eventType: string;
  readonly fromVersion: string;
  readonly toVersion: string;
}

export interface DepthPush {
  readonly channel: string;
  readonly symbol: string;
  readonly sendTime: number;
  /** Absent when the push carries another body. */
  readonly publicAggreDepths?: DepthBody | null;
}

const wrapper = protobuf.parse(schema, { keepCase: true }).root.lookupType('PushDataV3ApiWrapper');

/** Decodes with the code protobufjs generates for the schema at the first call. */
export function decodePush(bytes: Uint8Array): DepthPush {
  return wrapper.decode(bytes) as unknown as DepthPush;
}

export function encodePush(push: DepthPush): Uint8Array {
  return wrapper.encode(wrapper.create(push)).finish();
}
