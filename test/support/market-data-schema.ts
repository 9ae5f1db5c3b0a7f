import { join } from 'node:path';
import protobuf from 'protobufjs';
import { packageRoot } from '../../src/support/config/index.js';

/** `proto/market_data.proto` as another library reads it. */
export const marketDataSchema = protobuf.loadSync(join(packageRoot(), 'proto/market_data.proto'));

/** A message of the contract as plain values: defaults filled in, enums by name, whole numbers as numbers. */
export function decodeMarketData(type: string, bytes: Uint8Array): Record<string, unknown> {
  const message = marketDataSchema.lookupType(`market_data.${type}`);
  return message.toObject(message.decode(bytes), { longs: Number, enums: String, arrays: true, defaults: true });
}

/** The same message as that library encodes it. */
export function encodeMarketData(type: string, value: Record<string, unknown>): Uint8Array {
  const message = marketDataSchema.lookupType(`market_data.${type}`);
  return message.encode(message.fromObject(value)).finish();
}
