import type { Prng } from '../../src/simulator/prng.js';
import { GrpcClient } from '../support/grpc-client.js';
import { once, pick } from './lanes.js';
import type { Mutator } from './mutator.js';
import { oddName, oddNumber } from './odd-values.js';

export const SERVICE = '/market_data.MarketDataService/';
const fields: Readonly<Record<string, readonly string[]>> = {
  GetOrderBook: ['depth', 'full_depth', 'exact', 'allow_stale'],
  GetTicker: [],
  GetRecentTrades: ['limit', 'before'],
  SubscribeToOrderBookUpdates: ['depth', 'update_speed', 'mode', 'full_depth', 'exact', 'slow_policy', 'with_status'],
  SubscribeToTrades: [],
  SubscribeToTickers: ['update_speed'],
};
export const methods = Object.keys(fields);

/** A request of a method: nearly always something is odd in it, in its fields or in its bytes. */
export function oddPayload(random: Prng, mutator: Mutator, method: string, symbols: readonly string[]): Buffer {
  const request: Record<string, unknown> = { symbol: once(random, 5) ? oddName(random, symbols) : pick(random, symbols) };
  for (const name of fields[method]!) if (once(random, 2)) request[name] = sound(random, name);
  const bytes = GrpcClient.encode(method, request);
  if (once(random, 3)) return bytes;
  if (once(random, 3)) return Buffer.concat([bytes, strayField(random)]);
  return Buffer.from(mutator.mutate(bytes, GrpcClient.encode(pick(random, methods), request)));
}

function sound(random: Prng, name: string): unknown {
  if (name === 'mode' || name === 'slow_policy') return random.below(3);
  if (name === 'depth' || name === 'limit' || name === 'update_speed') return once(random, 2) ? random.below(100) : oddNumber(random) | 0;
  if (name === 'before') return Math.abs(Math.trunc(oddNumber(random)) % 2 ** 53);
  return once(random, 2);
}

/** A field by number and kind, as any client may add it: the same again, an unknown one, a group, one that ends too soon. */
function strayField(random: Prng): Buffer {
  const tag = (pick(random, [0, 1, 2, 3, 15, 100, 103, 104, 5000, 2 ** 26]) << 3) | random.below(8);
  const varint: number[] = [];
  for (let rest = tag >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) {
      varint.push(rest);
      break;
    }
    varint.push((rest & 0x7f) | 0x80);
  }
  const tail = pick(random, [
    [],
    [0],
    [1, 0x41],
    [4, 0x41],
    [0xff, 0xff, 0xff, 0xff, 0x0f],
    Array.from({ length: 11 }, () => 0xff),
    Array.from({ length: 300 }, () => 0x0b),
  ]);
  return Buffer.from([...varint, ...tail]);
}

/** A message behind its length, as gRPC sends it. */
export function framed(payload: Uint8Array, flag = 0, length = payload.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(length >>> 0, 1);
  return Buffer.concat([head, payload]);
}

/** HTTP/2 as bytes: the preface, settings, and a call or two with headers that use no table. */
export function http2Bytes(method: string, payload: Uint8Array): Buffer {
  const block = (type: number, flags: number, stream: number, body: Uint8Array): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(body.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, body]);
  };
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value, 'latin1')]);
  const field = (name: string, value: string): Buffer => Buffer.concat([Buffer.of(0), text(name), text(value)]);
  const headers = Buffer.concat([
    field(':method', 'POST'),
    field(':scheme', 'http'),
    field(':path', SERVICE + method),
    field(':authority', 'x'),
    field('content-type', 'application/grpc'),
    field('te', 'trailers'),
  ]);
  const call = (stream: number): Buffer => Buffer.concat([block(1, 4, stream, headers), block(0, 1, stream, framed(payload))]);
  return Buffer.concat([
    block(4, 0, 0, Buffer.alloc(0)),
    call(1),
    block(6, 0, 0, Buffer.alloc(8)),
    call(3),
    block(8, 0, 0, Buffer.from([0, 0, 1, 0])),
  ]);
}
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
