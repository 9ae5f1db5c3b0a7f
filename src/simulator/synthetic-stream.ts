import type { Topic } from './stream-hub.js';

/** Length of a market tick. */
export const TICK_MS = 10;

/** One channel of the made-up market while somebody subscribes to it. */
export interface SyntheticStream {
  readonly topic: Topic;
  /** Ticks between two calls of `next`. */
  readonly period: number;
  /** The push that is due now, or `undefined` when there is nothing to say. */
  next(nowMs: number): Uint8Array | undefined;
  close(): void;
}

/** The channel without its symbol, as most bodies repeat it. */
export function eventTypeOf(topic: Topic): string {
  const [head, name, third] = topic.text.split('@');
  return topic.channel.kind === 'limitDepth' ? `${head}@${name}` : `${head}@${name}@${third}`;
}
