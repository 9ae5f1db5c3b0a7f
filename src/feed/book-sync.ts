import type { Logger } from 'pino';
import { CodedError, ErrorCode } from '../support/errors.js';
import type { FeedSink } from '../model/feed.js';
import type { Clock } from '../support/clock.js';
import type { FrameRouter } from './frame-router.js';
import type { SnapshotBudget } from './snapshot-budget.js';
import { SnapshotScheduler, Urgency } from './snapshot-scheduler.js';
import type { DepthSource } from './snapshot-scheduler.js';
import { LinePhase } from './stream-line.js';
import type { SymbolLine } from './symbol-line.js';
import type { FeedTimings } from './timings.js';

export interface BookSyncOptions {
  readonly rest: DepthSource;
  readonly budget: SnapshotBudget;
  readonly snapshotLimit: number;
  readonly snapshotsInFlightMax: number;
  readonly sink: FeedSink;
  readonly router: FrameRouter;
  readonly timings: FeedTimings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The line is live, or takes so long that others should not wait for it. */
  readonly settled: (line: SymbolLine) => void;
  /** Nothing came for so long that the subscription itself is doubted. */
  readonly doubted: (line: SymbolLine) => void;
}

/** Snapshots in vain after which a symbol no longer holds up the start of others. */
const STRAGGLER_TRIES = 3;

/** When a subscribed symbol gets which snapshot: the first, after a gap, after one that was too old, while it is silent. */
export class BookSync {
  readonly #options: BookSyncOptions;
  readonly #timings: FeedTimings;
  readonly #scheduler: SnapshotScheduler;

  constructor(options: BookSyncOptions) {
    this.#options = options;
    this.#timings = options.timings;
    this.#scheduler = new SnapshotScheduler({
      rest: options.rest,
      budget: options.budget,
      limit: options.snapshotLimit,
      inFlightMax: options.snapshotsInFlightMax,
      clock: options.clock,
      logger: options.logger,
      delivered: (line, body, receiveTimeMs, urgency) => this.#delivered(line, body, receiveTimeMs, urgency),
      failed: (line, error) => this.#failed(line, error),
    });
  }

  get waiting(): number {
    return this.#scheduler.waiting;
  }

  /** A snapshot could go out now if the budget allowed. */
  get isDue(): boolean {
    return this.#scheduler.isDue;
  }

  get inFlight(): number {
    return this.#scheduler.inFlight;
  }

  /** The subscription stands: the snapshot follows the first push, or a short wait when none comes. */
  subscribed(line: SymbolLine): void {
    if (this.#options.router.hasHeard(line)) return this.#askFirst(line);
    line.awaitsFirstDelta = true;
    this.#wait(line, this.#timings.firstDeltaWaitMs, () => this.#askFirst(line));
  }

  firstFrame(line: SymbolLine): void {
    if (line.awaitsFirstDelta) this.#askFirst(line);
  }

  /** The shard needs another snapshot. */
  resync(line: SymbolLine): void {
    line.live = false;
    if (line.awaitsFirstDelta) return;
    const pending = this.#scheduler.pending(line);
    // One on its way may serve; if it does not, the shard says so when it has it.
    if (pending !== undefined && pending !== Urgency.CHECK) return;
    this.#stopWaiting(line);
    this.#askAgain(line);
  }

  /** First a snapshot shows whether anything was missed; when nothing is heard after it either, the subscription is doubted. */
  silent(line: SymbolLine): void {
    const { router } = this.#options;
    // Something is on its way already: the first snapshot, the effect of one, or the next subscription.
    if (line.timer !== undefined || this.#scheduler.pending(line) !== undefined) return;
    if (router.hasHeard(line)) {
      line.silences.reset();
      line.silentChecks = 0;
    }
    router.listen(line);
    const delayMs = line.silentChecks === 0 ? 0 : line.silences.next();
    line.silentChecks++;
    if (!isSubscriptionDoubtful(line.silentChecks)) return this.#scheduler.request(line, Urgency.CHECK, delayMs);
    this.#wait(line, delayMs, () => {
      // What was heard brought the book nothing new, or it would be live and this called off.
      if (router.hasHeard(line)) this.#scheduler.request(line, Urgency.CHECK, 0);
      else this.#options.doubted(line);
    });
  }

  live(line: SymbolLine): void {
    // Said before the shard learned that the line went down and up again; but a text frame may have been a snapshot.
    if (!line.up || (line.snapshotsSinceUp === 0 && !this.#options.router.hasHeardText(line))) return;
    this.forget(line);
    if (!line.live) line.liveSince = this.#options.clock();
    line.live = true;
    line.returning = true;
    line.snapshotDelivered = false;
    line.refusals.reset();
    this.#options.settled(line);
  }

  /** The line went up again under the same subscription. */
  anew(line: SymbolLine): void {
    if (line.phase !== LinePhase.SUBSCRIBED || line.awaitsFirstDelta) return;
    this.#scheduler.cancel(line);
    this.#askFirst(line);
  }

  /** Whatever was under way for the line is off. */
  forget(line: SymbolLine): void {
    this.#stopWaiting(line);
    this.#scheduler.cancel(line);
    line.awaitsFirstDelta = false;
  }

  close(): void {
    this.#scheduler.close();
  }

  #askFirst(line: SymbolLine): void {
    this.#stopWaiting(line);
    line.awaitsFirstDelta = false;
    this.#scheduler.request(line, urgencyOf(line), 0);
  }

  #askAgain(line: SymbolLine): void {
    this.#scheduler.request(line, urgencyOf(line), this.#resyncDelay(line));
    if (line.resyncs.count >= STRAGGLER_TRIES) this.#options.settled(line);
  }

  /** A gap in a book that was live goes at once, if the last such case is long enough ago; whatever else failed waits. */
  #resyncDelay(line: SymbolLine): number {
    if (line.snapshotDelivered) return line.resyncs.next();
    if (this.#options.clock() - line.liveSince >= this.#timings.liveStableMs) {
      line.resyncs.reset();
      line.resyncedAtOnce = false;
    }
    if (line.resyncedAtOnce) return line.resyncs.next();
    line.resyncedAtOnce = true;
    return 0;
  }

  #delivered(line: SymbolLine, body: Uint8Array, receiveTimeMs: number, urgency: Urgency): void {
    line.snapshotsSinceUp++;
    line.snapshotDelivered = true;
    line.rejections.reset();
    this.#stopWaiting(line);
    // A check of a silent book changes nothing when nothing was missed; the shard asks again by itself.
    if (urgency !== Urgency.CHECK) this.#wait(line, this.#timings.snapshotSettleMs, () => this.#unsettled(line));
    this.#options.sink.snapshot(line.symbol.id, body, receiveTimeMs);
  }

  /** The shard said nothing to a snapshot. */
  #unsettled(line: SymbolLine): void {
    if (!line.live && this.#scheduler.pending(line) === undefined) this.#askAgain(line);
  }

  #failed(line: SymbolLine, error: unknown): number {
    if (!(error instanceof CodedError) || error.code !== ErrorCode.EXCHANGE_REFUSED) return line.resyncs.next();
    this.#options.settled(line);
    return line.rejections.next();
  }

  #wait(line: SymbolLine, delayMs: number, then: () => void): void {
    clearTimeout(line.timer);
    line.timer = setTimeout(() => {
      line.timer = undefined;
      then();
    }, delayMs);
  }

  #stopWaiting(line: SymbolLine): void {
    clearTimeout(line.timer);
    line.timer = undefined;
  }
}

function urgencyOf(line: SymbolLine): Urgency {
  return line.returning ? Urgency.RESYNC : Urgency.START;
}

/** At the 2nd, 4th, 8th … check in a row without a push: ever rarer, because each uses up one of a connection's subscriptions. */
function isSubscriptionDoubtful(checks: number): boolean {
  return checks >= 2 && (checks & (checks - 1)) === 0;
}
