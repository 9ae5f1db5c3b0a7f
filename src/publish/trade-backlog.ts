import type { TradesMessage } from '../model/publication.js';

/** Trades in a row that a slow client is not sent. */
export interface SkippedRun {
  readonly epoch: number;
  /** Id of the last trade before them, and of their last. */
  readonly prev: number;
  readonly seq: number;
  /** `null` = more than those that were dropped here are missing. */
  readonly count: number | null;
  /** Unix ms of the last trade before them (NaN = not known) and of the first behind them. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Trades withheld from a slow client, oldest first, and the run that had to be dropped before them. */
export class TradeBacklog {
  #messages: (TradesMessage | undefined)[] = [];
  /** Place of the oldest; those before it were taken out, which must not move all that are left each time. */
  #first = 0;
  #skipped: SkippedRun | null = null;
  /** Time of the last trade sent, Unix ms; NaN = not known. */
  #lastSentMs = NaN;

  /** The run that was dropped and that the client has not been told of; `null` = none. */
  get skipped(): SkippedRun | null {
    return this.#skipped;
  }

  isEmpty(): boolean {
    return this.#first === this.#messages.length;
  }

  add(message: TradesMessage): void {
    this.#messages.push(message);
  }

  /** The message left, past the backlog while that is empty. */
  sent(message: TradesMessage): void {
    this.#lastSentMs = message.lastMs;
  }

  /** Takes out the oldest, to be sent. */
  takeOldest(): TradesMessage {
    const message = this.#shift();
    this.sent(message);
    return message;
  }

  /** Takes out the oldest and adds it to the run that the client will miss. */
  dropOldest(): TradesMessage {
    const message = this.#shift();
    const { epoch, seq, count, lastMs } = message;
    const before = this.#skipped;
    this.#skipped = {
      epoch,
      prev: before?.prev ?? seq - Math.max(0, count),
      seq,
      // A message that told of missing trades goes the way of those it stood between.
      count: count < 0 || before?.count === null ? null : (before?.count ?? 0) + count,
      fromMs: before?.fromMs ?? this.#lastSentMs,
      toMs: this.#messages[this.#first]?.firstMs ?? lastMs,
    };
    return message;
  }

  /** The same, for the client is told now. */
  takeSkipped(): SkippedRun | null {
    const skipped = this.#skipped;
    this.#skipped = null;
    return skipped;
  }

  /** A snapshot will take their place. Returns how many bytes waited. */
  forget(): number {
    let bytes = 0;
    for (let i = this.#first; i < this.#messages.length; i++) bytes += this.#messages[i]!.frame.length;
    this.#messages = [];
    this.#first = 0;
    this.#skipped = null;
    return bytes;
  }

  /** A snapshot was sent: no trade has followed it yet. */
  restart(): void {
    this.#lastSentMs = NaN;
  }

  #shift(): TradesMessage {
    const message = this.#messages[this.#first]!;
    // Its frame is not to be held on to.
    this.#messages[this.#first++] = undefined;
    if (2 * this.#first >= this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
    return message;
  }
}
