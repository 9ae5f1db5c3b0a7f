import { join } from 'node:path';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { packageRoot } from '../../support/config/index.js';

/** The service's full name, as health and reflection call it. */
export const SERVICE_NAME = 'market_data.MarketDataService';

/** The contract as it is shipped. */
export function loadContract(): PackageDefinition {
  return loadSync(join(packageRoot(), 'proto/market_data.proto'), { keepCase: true, longs: Number, enums: Number, defaults: true });
}

/** Stands for a request whose bytes are no message of the contract: grpc-js would call that a failure of the server. */
export const UNREADABLE = Object.freeze({});

/**
 * The service with requests decoded by the contract and answers taken as bytes: whatever is sent was encoded already, in a shard, once for
 * all who get it.
 */
export function serviceOf(contract: PackageDefinition): ServiceDefinition {
  const service = contract[SERVICE_NAME] as ServiceDefinition;
  return Object.fromEntries(
    Object.entries(service).map(([name, method]: [string, MethodDefinition<object, object>]) => [
      name,
      {
        ...method,
        requestDeserialize: (bytes: Buffer) => readRequest(method, bytes),
        responseSerialize: (value: unknown) => (Buffer.isBuffer(value) ? value : method.responseSerialize(value as object)),
      },
    ]),
  );
}

function readRequest(method: MethodDefinition<object, object>, bytes: Buffer): object {
  try {
    return method.requestDeserialize(bytes);
  } catch {
    return UNREADABLE;
  }
}

/** Requests as they arrive: every field is there, with its default when the client did not set it. */
export interface OrderBookRequest {
  readonly symbol: string;
  readonly depth: number;
  readonly full_depth: boolean;
  readonly exact: boolean;
  readonly allow_stale: boolean;
}

export interface OrderBookSubscriptionRequest {
  readonly symbol: string;
  readonly depth: number;
  readonly update_speed: number;
  /** BookMode */
  readonly mode: number;
  readonly full_depth: boolean;
  readonly exact: boolean;
  /** SlowPolicy */
  readonly slow_policy: number;
  readonly with_status: boolean;
}

export interface RecentTradesRequest {
  readonly symbol: string;
  readonly limit: number;
  readonly before: number;
}

export interface TickerSubscriptionRequest {
  readonly symbol: string;
  readonly update_speed: number;
}

/** TickerRequest, TradeSubscriptionRequest. */
export interface SymbolRequest {
  readonly symbol: string;
}
