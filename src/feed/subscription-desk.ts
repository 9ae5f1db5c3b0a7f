import type { Logger } from 'pino';
import { judgeAck } from '../mexc/acks.js';
import type { Ack } from '../mexc/acks.js';
import type { Pacer } from './pacer.js';

/** One client message at most: the largest a published client sends, so surely accepted. */
export const MESSAGE_BYTES_MAX = 1024;

type Method = 'SUBSCRIPTION' | 'UNSUBSCRIPTION';

interface Order {
  readonly method: Method;
  readonly channel: string;
}

/** One message on its way: what it asked for and has no answer to yet. */
interface Batch {
  readonly method: Method;
  readonly waiting: Set<string>;
  resent: boolean;
  timer: NodeJS.Timeout | undefined;
}

export interface SubscriptionDeskOptions {
  readonly send: (text: string) => void;
  readonly pacer: Pacer;
  readonly ackTimeoutMs: number;
  readonly logger: Logger;
  /** Whose it is, for the log. */
  readonly connection: number;
  readonly accepted: (channel: string) => void;
  readonly refused: (channel: string, reason: string) => void;
  /** A channel that pushes needs no ack. */
  readonly isFlowing: (channel: string) => boolean;
  /** No answer, not even to the second try. */
  readonly unanswered: (channels: readonly string[]) => void;
}

/**
 * Subscriptions of one connection while it lasts: gathered into messages of at most 1,024 bytes, sent at the pace the
 * exchange allows, matched with their acks, repeated once when no ack comes.
 */
export class SubscriptionDesk {
  readonly #options: SubscriptionDeskOptions;
  #orders: Order[] = [];
  readonly #repeats: Batch[] = [];
  /** By message id; a repeated batch has two. */
  readonly #sent = new Map<number, Batch>();
  #nextId = 1;
  #sendTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SubscriptionDeskOptions) {
    this.#options = options;
  }

  subscribe(channel: string): void {
    this.#order({ method: 'SUBSCRIPTION', channel });
  }

  /** Takes back a subscription that was not sent yet; returns false when the exchange has to be told. */
  unsubscribe(channel: string): boolean {
    for (const batch of this.#sent.values()) if (batch.method === 'SUBSCRIPTION') batch.waiting.delete(channel);
    const index = this.#orders.findLastIndex((order) => order.channel === channel);
    if (this.#orders[index]?.method === 'SUBSCRIPTION') {
      this.#orders.splice(index, 1);
      return true;
    }
    this.#order({ method: 'UNSUBSCRIPTION', channel });
    return false;
  }

  acknowledge(ack: Ack): void {
    const batch = this.#sent.get(ack.id) ?? this.#batchNaming(ack);
    // The second ack of a repeated message finds nothing waiting.
    if (batch === undefined) return;
    const verdict = judgeAck(ack, [...batch.waiting]);
    for (const channel of verdict.accepted) batch.waiting.delete(channel);
    for (const { channel } of verdict.refused) batch.waiting.delete(channel);
    if (batch.waiting.size === 0) this.#forget(batch);
    if (batch.method === 'UNSUBSCRIPTION') return;
    for (const channel of verdict.accepted) this.#options.accepted(channel);
    for (const { channel, reason } of verdict.refused) this.#options.refused(channel, reason);
  }

  /** An answer that is no ack, to the message with this id: refused as a whole. */
  reject(id: number, reason: string): void {
    const batch = this.#sent.get(id);
    if (batch === undefined) return;
    const channels = [...batch.waiting];
    batch.waiting.clear();
    this.#forget(batch);
    if (batch.method === 'SUBSCRIPTION') for (const channel of channels) this.#options.refused(channel, reason);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#sendTimer);
    for (const batch of this.#sent.values()) clearTimeout(batch.timer);
    this.#sent.clear();
    this.#orders.length = 0;
    this.#repeats.length = 0;
  }

  #order(order: Order): void {
    this.#orders.push(order);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#closed || this.#sendTimer !== undefined) return;
    // At least until the end of this turn, so that what is ordered together travels together.
    this.#sendTimer = setTimeout(() => this.#sendNext(), this.#options.pacer.reserve());
  }

  #sendNext(): void {
    this.#sendTimer = undefined;
    const batch = this.#repeats.shift() ?? this.#gather();
    if (batch === undefined) return;
    this.#sendBatch(batch);
    if (this.#orders.length > 0 || this.#repeats.length > 0) this.#schedule();
  }

  /** As many orders of one method, in order, as one message holds. */
  #gather(): Batch | undefined {
    const first = this.#orders[0];
    if (first === undefined) return undefined;
    const channels = new Set<string>();
    // Room for an id of ten digits.
    let bytes = Buffer.byteLength(message(first.method, [], 1_000_000_000));
    let taken = 0;
    for (const { method, channel } of this.#orders) {
      bytes += Buffer.byteLength(JSON.stringify(channel)) + 1;
      if (method !== first.method || (taken > 0 && bytes > MESSAGE_BYTES_MAX)) break;
      channels.add(channel);
      taken++;
    }
    this.#orders = this.#orders.slice(taken);
    return { method: first.method, waiting: channels, resent: false, timer: undefined };
  }

  #sendBatch(batch: Batch): void {
    if (batch.waiting.size === 0) return this.#forget(batch);
    const id = this.#nextId++;
    this.#sent.set(id, batch);
    batch.timer = setTimeout(() => this.#overdue(batch), this.#options.ackTimeoutMs);
    this.#options.send(message(batch.method, [...batch.waiting], id));
  }

  #overdue(batch: Batch): void {
    if (batch.method === 'UNSUBSCRIPTION') return this.#forget(batch);
    for (const channel of [...batch.waiting]) {
      if (!this.#options.isFlowing(channel)) continue;
      batch.waiting.delete(channel);
      this.#options.accepted(channel);
    }
    if (batch.waiting.size === 0) return this.#forget(batch);
    if (batch.resent) {
      const channels = [...batch.waiting];
      this.#forget(batch);
      return this.#options.unanswered(channels);
    }
    const { logger, connection } = this.#options;
    logger.warn({ connection, channels: batch.waiting.size }, 'no answer to a subscription, sending it again');
    batch.resent = true;
    this.#repeats.push(batch);
    this.#schedule();
  }

  #forget(batch: Batch): void {
    clearTimeout(batch.timer);
    for (const [id, candidate] of this.#sent) if (candidate === batch) this.#sent.delete(id);
  }

  /** For an exchange that does not echo the id: the oldest message that asked for one of the channels named. */
  #batchNaming(ack: Ack): Batch | undefined {
    if (ack.id !== 0) return undefined;
    const named = [...ack.ok, ...ack.refused.map(({ channel }) => channel)];
    for (const batch of this.#sent.values()) if (named.some((channel) => batch.waiting.has(channel))) return batch;
    return undefined;
  }
}

function message(method: Method, params: readonly string[], id: number): string {
  return JSON.stringify({ method, params, id });
}
