import { Channel, MessageKind, type TradesMessage } from '../model/publication.js';
import { assert } from '../support/assert.js';
import type { ClientConnection, CloseReason } from './client-connection.js';
import type { SnapshotReason, Subscription } from './subscription.js';

export interface SubscriberLimits {
  /** Bytes in the client's socket at the start of a turn from which on it counts as slow; default 256 KiB. */
  readonly softLimitBytes: number;
  /**
   * Most bytes one turn may put into the socket, most bytes of newest messages kept beside it, and the backlog
   * past which a client is on its way out; default 4 MiB.
   */
  readonly hardLimitBytes: number;
  /** How long every check must find the client past the hard limit before it is closed, in ms; default 5,000. */
  readonly hardLimitMs: number;
  /** How long a closed client may take to go before it is dropped, in ms; default 2,000. */
  readonly closeGraceMs: number;
}

export const defaultSubscriberLimits: SubscriberLimits = {
  softLimitBytes: 256 * 1024,
  hardLimitBytes: 4 * 1024 * 1024,
  hardLimitMs: 5_000,
  closeGraceMs: 2_000,
};

/** Counted over all clients of a hub. */
export interface FanOutCounters {
  framesSent: number;
  bytesSent: number;
  /** `book` deltas not sent because the client was behind; it gets a fresh snapshot instead. */
  deltasSkipped: number;
  /** Trades dropped because the client was behind; it is told how many. */
  tradesSkipped: number;
  /** Messages replaced by a newer one of the same publication before a slow client took them. */
  conflated: number;
  /** Times a client became slow. */
  slowdowns: number;
  /** Clients closed for being slow. */
  slowClosed: number;
}

/** The hub's side of a subscriber's snapshot requests. */
export interface SnapshotRequester {
  request(subscription: Subscription, reason: SnapshotReason): void;
  /** The request was answered or is no longer wanted. */
  settle(subscription: Subscription): void;
}

/**
 * One client of the fan-out: what it is subscribed to, and what is done when it does not keep up. Main thread only.
 *
 * Messages are written to the corked outlet as they come and leave together at the end of the turn, which may be a few rounds of the event loop later; their bytes are
 * shared between all clients and never copied. A client with more than the soft limit in its socket is slow until the
 * socket is empty again. While it is slow nothing is written: stateless channels and states keep their newest message,
 * `book` subscriptions let deltas go and ask for a snapshot afterwards, a few at a time; trades wait in line, and when the line
 * is full the oldest are dropped and the client is told which.
 *
 * A client that never reads costs at most: hard limit + one frame in its socket, hard limit of newest messages and trades (shared
 * with other clients that keep the same ones), and one state message per subscription.
 */
export class Subscriber {
  readonly connection: ClientConnection;
  readonly subscriptions = new Map<string, Subscription>();
  /** Between the first frame of a turn and its end. */
  inTurn = false;
  /** Bytes written in this turn. */
  turnBytes = 0;
  readonly #limits: SubscriberLimits;
  readonly #requester: SnapshotRequester;
  readonly #counters: FanOutCounters;
  /** Subscriptions that need a snapshot nobody asked for yet, oldest first. */
  readonly #owed = new Set<Subscription>();
  /** Subscriptions with withheld messages, oldest first. */
  readonly #pending = new Set<Subscription>();
  #pendingBytes = 0;
  #requestedBytes = 0;
  /** Bytes not sent since the client became slow. */
  #withheldBytes = 0;
  #slow = false;
  #writable = false;
  /** The first of the checks in a row that found it past the hard limit; -1 = the last one did not. */
  #overLimitSinceMs = -1;
  #closedAtMs = -1;

  constructor(connection: ClientConnection, limits: SubscriberLimits, requester: SnapshotRequester, counters: FanOutCounters) {
    assert(limits.softLimitBytes <= limits.hardLimitBytes, 'the soft limit is not above the hard limit');
    this.connection = connection;
    this.#limits = limits;
    this.#requester = requester;
    this.#counters = counters;
  }

  get slow(): boolean {
    return this.#slow;
  }

  /** How far the client is behind: bytes in its socket and bytes withheld since the socket was last empty. */
  get backlogBytes(): number {
    return this.connection.outlet.writableLength + this.#withheldBytes;
  }

  /** Bytes of newest messages kept for a slow client. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Closed for being slow, or by `close`; nothing is sent any more. */
  get closed(): boolean {
    return this.#closedAtMs >= 0;
  }

  beginTurn(): void {
    this.inTurn = true;
    this.turnBytes = 0;
    this.#writable = !this.closed && this.connection.isOpen();
    if (!this.#writable) return;
    if (!this.#slow && this.#isPast(this.#limits.softLimitBytes)) this.#becomeSlow();
    this.connection.outlet.cork();
  }

  endTurn(): void {
    this.inTurn = false;
    // It may have been closed since the turn began.
    if (!this.#writable || this.closed || !this.connection.isOpen()) return;
    this.#writable = false;
    this.connection.outlet.uncork();
    this.requestOwed();
  }

  /** Takes one message, between `beginTurn` and `endTurn` unless it is slow. */
  accept(subscription: Subscription, kind: MessageKind, frame: Buffer): void {
    if (!this.#takes()) return;
    switch (kind) {
      case MessageKind.SNAPSHOT:
      case MessageKind.SNAPSHOT_FOR:
        this.#requester.settle(subscription);
        if (isSequential(subscription)) this.#acceptFirst(subscription, frame);
        else this.#acceptNewest(subscription, frame);
        return;
      case MessageKind.DELTA:
        this.#acceptDelta(subscription, frame);
        return;
      case MessageKind.STATE_FOR:
        this.#requester.settle(subscription);
        this.#acceptState(subscription, frame);
        return;
      case MessageKind.STATE:
        // On `status` a state is all there is, and this one is at least as new as the one that was asked for.
        if (subscription.publication.spec.channel === Channel.STATUS) {
          this.#requester.settle(subscription);
          this.#owed.delete(subscription);
        }
        this.#acceptState(subscription, frame);
        return;
      default:
        kind satisfies never;
    }
  }

  /** The same for a message of trades. */
  acceptTrades(subscription: Subscription, message: TradesMessage): void {
    // What comes before the snapshot is in it.
    if (!this.#takes() || subscription.waiting) return;
    if (this.#hasRoom()) return this.#writeTrades(subscription, message);
    const { backlog } = subscription;
    this.#withheldBytes += message.frame.length;
    this.#pendingBytes += message.frame.length;
    backlog.add(message);
    this.#pending.add(subscription);
    while (this.#pendingBytes > this.#limits.hardLimitBytes && !backlog.isEmpty()) {
      const dropped = backlog.dropOldest();
      this.#pendingBytes -= dropped.frame.length;
      this.#counters.tradesSkipped += Math.max(0, dropped.count);
    }
  }

  /** Asks for snapshots as long as the expected answers fit the soft limit, so that a drained client is not flooded anew. */
  requestOwed(): void {
    for (const subscription of this.#owed) {
      if (this.#slow || this.closed || this.#requestedBytes >= this.#limits.softLimitBytes) return;
      this.#owed.delete(subscription);
      subscription.requestedBytes = subscription.publication.snapshotBytes;
      this.#requestedBytes += subscription.requestedBytes;
      this.#requester.request(subscription, subscription.reason);
    }
  }

  /** The subscription needs a snapshot that no broadcast is known to bring. */
  owe(subscription: Subscription, reason: SnapshotReason): void {
    if (subscription.token !== 0) return;
    if (!this.#owed.has(subscription)) subscription.reason = reason;
    this.#owed.add(subscription);
  }

  /** The hub's word that a request is over. */
  requestSettled(subscription: Subscription): void {
    this.#requestedBytes -= subscription.requestedBytes;
    subscription.requestedBytes = 0;
  }

  /** The publication starts anew with a broadcast snapshot. */
  restart(subscription: Subscription): void {
    this.#owed.delete(subscription);
    subscription.waiting = true;
  }

  /** Forgets the subscription; the hub takes it off the publication. */
  remove(subscription: Subscription): void {
    this.#owed.delete(subscription);
    this.#dropPending(subscription);
    this.subscriptions.delete(subscription.key);
  }

  /** The socket is empty again: what was withheld goes out, then snapshots are asked for. */
  drained(): void {
    if (!this.#slow || this.closed || !this.connection.isOpen()) return;
    this.#slow = false;
    this.#withheldBytes = 0;
    this.#overLimitSinceMs = -1;
    this.#sendPending();
    this.requestOwed();
  }

  /** Called about once a second: closes a client that stays past the hard limit, drops one that does not take the close. Returns whether it did. */
  check(nowMs: number): boolean {
    if (this.closed) {
      if (nowMs - this.#closedAtMs < this.#limits.closeGraceMs) return false;
      this.connection.terminate();
      return true;
    }
    if (this.backlogBytes <= this.#limits.hardLimitBytes) {
      this.#overLimitSinceMs = -1;
      return false;
    }
    if (this.#overLimitSinceMs < 0) this.#overLimitSinceMs = nowMs;
    if (nowMs - this.#overLimitSinceMs < this.#limits.hardLimitMs) return false;
    this.closeAsSlow(nowMs);
    return true;
  }

  closeAsSlow(nowMs: number): void {
    if (this.closed) return;
    this.#counters.slowClosed++;
    this.close(nowMs, 'SLOW_CONSUMER');
  }

  /** Tells the client to go; `check` drops the connection when it has not gone after the grace time. */
  close(nowMs: number, reason: CloseReason): void {
    if (this.closed) return;
    this.#closedAtMs = nowMs;
    this.#owed.clear();
    for (const subscription of this.#pending) this.#dropPending(subscription);
    this.connection.close(reason);
  }

  /** Whether messages are still taken: to be written, or to be kept while the client is slow. */
  #takes(): boolean {
    return (this.#writable || this.#slow) && !this.closed;
  }

  #acceptFirst(subscription: Subscription, frame: Buffer): void {
    if (!this.#hasRoom()) {
      this.#pendingBytes -= subscription.backlog.forget();
      this.#needSnapshotAfterSlowness(subscription);
      return;
    }
    this.#owed.delete(subscription);
    subscription.backlog.restart();
    subscription.waiting = false;
    this.#write(frame);
  }

  #acceptDelta(subscription: Subscription, frame: Buffer): void {
    if (this.#hasRoom()) {
      if (!subscription.waiting) this.#write(frame);
      // A delta that passes by proves that the book is live and that no broadcast snapshot is due: ask for one.
      else this.owe(subscription, subscription.reason);
      return;
    }
    this.#withheldBytes += frame.length;
    this.#counters.deltasSkipped++;
    if (!subscription.waiting) this.#needSnapshotAfterSlowness(subscription);
  }

  #acceptNewest(subscription: Subscription, frame: Buffer): void {
    this.#owed.delete(subscription);
    if (this.#hasRoom()) {
      this.#write(frame);
      return;
    }
    const replaced = subscription.pendingData;
    if (replaced !== null) this.#counters.conflated++;
    const pendingBytes = this.#pendingBytes + frame.length - (replaced?.length ?? 0);
    this.#withheldBytes += frame.length;
    subscription.stateIsNewer = false;
    if (pendingBytes > this.#limits.hardLimitBytes) {
      this.#setPendingData(subscription, null);
      this.owe(subscription, 'slow');
      return;
    }
    this.#setPendingData(subscription, frame);
  }

  #acceptState(subscription: Subscription, frame: Buffer): void {
    if (!this.connection.takesState()) return;
    if (this.#hasRoom()) {
      this.#write(frame);
      return;
    }
    if (subscription.pendingState !== null) this.#counters.conflated++;
    this.#pendingBytes += frame.length - (subscription.pendingState?.length ?? 0);
    this.#withheldBytes += frame.length;
    subscription.pendingState = frame;
    subscription.stateIsNewer = true;
    this.#pending.add(subscription);
  }

  #writeTrades(subscription: Subscription, message: TradesMessage): void {
    subscription.backlog.sent(message);
    this.#write(message.frame);
  }

  #sendTrades({ backlog, publication }: Subscription): void {
    const skipped = backlog.takeSkipped();
    if (skipped !== null) this.connection.tradesSkipped(publication, skipped);
    while (!backlog.isEmpty() && this.#hasRoom()) {
      const { frame } = backlog.takeOldest();
      this.#pendingBytes -= frame.length;
      this.#write(frame);
    }
  }

  #needSnapshotAfterSlowness(subscription: Subscription): void {
    const reason = subscription.waiting ? subscription.reason : 'slow';
    subscription.waiting = true;
    this.owe(subscription, reason);
  }

  #setPendingData(subscription: Subscription, frame: Buffer | null): void {
    this.#pendingBytes += (frame?.length ?? 0) - (subscription.pendingData?.length ?? 0);
    const had = subscription.pendingData !== null;
    subscription.pendingData = frame;
    if (frame === null && subscription.pendingState === null) this.#pending.delete(subscription);
    else if (!had) this.#pending.add(subscription);
  }

  #dropPending(subscription: Subscription): void {
    this.#setPendingData(subscription, null);
    this.#pendingBytes -= subscription.backlog.forget();
    this.#pendingBytes -= subscription.pendingState?.length ?? 0;
    subscription.pendingState = null;
    this.#pending.delete(subscription);
  }

  #sendPending(): void {
    // In its turn it is corked, and what it is given leaves at the end of that.
    if (!this.inTurn) this.connection.outlet.cork();
    for (const subscription of this.#pending) {
      if (!this.#hasRoom()) break;
      const { pendingData, pendingState, stateIsNewer } = subscription;
      this.#sendTrades(subscription);
      // The rest waits for the next time the socket is empty, and so does the state behind it.
      if (!subscription.backlog.isEmpty()) break;
      this.#dropPending(subscription);
      if (pendingState !== null && !stateIsNewer) this.#write(pendingState);
      if (pendingData !== null) this.#write(pendingData);
      if (pendingState !== null && stateIsNewer) this.#write(pendingState);
    }
    if (!this.inTurn) this.connection.outlet.uncork();
  }

  /** One turn may fill the socket up to the hard limit: a burst is no sign of slowness, what is left of the last one is. */
  #hasRoom(): boolean {
    if (this.#slow) return false;
    if (!this.#isPast(this.#limits.hardLimitBytes)) return true;
    this.#becomeSlow();
    return false;
  }

  /** Below the socket's own high-water mark no 'drain' event would follow, so a client there is never called slow. */
  #isPast(limitBytes: number): boolean {
    const { outlet } = this.connection;
    return outlet.writableLength > limitBytes && outlet.writableNeedDrain;
  }

  #becomeSlow(): void {
    this.#slow = true;
    this.#counters.slowdowns++;
  }

  #write(frame: Buffer): void {
    if (frame.length === 0) return;
    this.#counters.framesSent++;
    this.#counters.bytesSent += frame.length;
    this.turnBytes += frame.length;
    this.connection.outlet.write(frame);
  }
}

/** Whether its messages mean something only behind those before them. */
function isSequential({ publication }: Subscription): boolean {
  return publication.spec.channel === Channel.BOOK || publication.spec.channel === Channel.TRADE;
}
