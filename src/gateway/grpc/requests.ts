import { Channel, Format, type PublicationSpec } from '../../model/publication.js';
import { Problem } from '../problem.js';
import type { OrderBookSubscriptionRequest, TickerSubscriptionRequest } from './schema.js';

const DEPTH_DEFAULT = 20;
const DEPTH_MAX = 5000;
const TICKER_SPEED_DEFAULT = 1000;
const TRADES_DEFAULT = 100;
const TRADES_MAX = 1000;
const UPDATE_SPEED_MAX = 60_000;
/** The finest step of the shards' clock. */
const UPDATE_SPEED_STEP = 10;

/** Words of the contract's enums. */
export const BookMode = { WHOLE: 0, DELTAS: 1 } as const;
export const SlowPolicy = { CONFLATE: 0, DISCONNECT: 1 } as const;

/** Levels a side, 0 = all. Throws BAD_PARAMETER. */
export function parseDepth({ depth, full_depth }: { readonly depth: number; readonly full_depth: boolean }): number {
  if (full_depth) return 0;
  if (depth === 0) return DEPTH_DEFAULT;
  if (depth < 1 || depth > DEPTH_MAX) throw bad('depth', `1 to ${DEPTH_MAX}, or 0 for ${DEPTH_DEFAULT}`, depth);
  return depth;
}

/** What a book subscription asks the shards for. Throws BAD_PARAMETER. */
export function parseBookSpec(request: OrderBookSubscriptionRequest): PublicationSpec {
  const { update_speed, mode, slow_policy, exact } = request;
  const depth = parseDepth(request);
  if (mode !== BookMode.WHOLE && mode !== BookMode.DELTAS) throw bad('mode', 'WHOLE or DELTAS', mode);
  if (slow_policy !== SlowPolicy.CONFLATE && slow_policy !== SlowPolicy.DISCONNECT)
    throw bad('slow_policy', 'CONFLATE or DISCONNECT', slow_policy);
  return {
    channel: mode === BookMode.DELTAS ? Channel.BOOK : Channel.BOOK_TOP,
    depth,
    intervalMs: parseSpeed(update_speed),
    format: exact ? Format.PROTOBUF_EXACT : Format.PROTOBUF,
  };
}

/** What a ticker subscription asks the shards for. Throws BAD_PARAMETER. */
export function parseTickerSpec({ update_speed }: TickerSubscriptionRequest): PublicationSpec {
  const intervalMs = parseSpeed(update_speed === 0 ? TICKER_SPEED_DEFAULT : update_speed);
  return { channel: Channel.TICKER, depth: 0, intervalMs, format: Format.PROTOBUF };
}

/** Two clients whose intervals the clock cannot tell apart share one publication. */
function parseSpeed(ms: number): number {
  if (ms < 0 || ms > UPDATE_SPEED_MAX) throw bad('update_speed', `0 to ${UPDATE_SPEED_MAX} ms`, ms);
  return Math.ceil(ms / UPDATE_SPEED_STEP) * UPDATE_SPEED_STEP;
}

/** Trades of one answer. Throws BAD_PARAMETER. */
export function parseLimit(limit: number): number {
  if (limit === 0) return TRADES_DEFAULT;
  if (limit < 1 || limit > TRADES_MAX) throw bad('limit', `1 to ${TRADES_MAX}, or 0 for ${TRADES_DEFAULT}`, limit);
  return limit;
}

function bad(parameter: string, allowed: string, given: number): Problem {
  return new Problem('BAD_PARAMETER', `${parameter} must be ${allowed}, not ${given}`, { parameter, allowed });
}
