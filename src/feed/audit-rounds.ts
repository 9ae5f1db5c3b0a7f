import type { Logger } from 'pino';
import type { AuditSink } from '../model/feed.js';
import type { Clock } from '../support/clock.js';
import { LogGate } from './log-gate.js';
import { RestKind } from './rest-queue.js';
import type { RestQueue, RestRequest } from './rest-queue.js';
import type { SnapshotBudget } from './snapshot-budget.js';
import type { DepthSource } from './snapshot-scheduler.js';
import type { FeedTimings } from './timings.js';

export interface AuditRoundsOptions {
  /** From the start of one audit to the start of the next, at least. */
  readonly everyMs: number;
  readonly rest: DepthSource;
  readonly budget: SnapshotBudget;
  /** Levels a side to ask for. */
  readonly limit: number;
  readonly sink: AuditSink;
  readonly timings: FeedTimings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Everything else that wants requests. */
  readonly queue: RestQueue;
  /** A book wants the next request. */
  readonly booksWait: () => boolean;
  /** The symbol's book is live. */
  readonly isLive: (symbolId: number) => boolean;
}

/** Turns without a request to spare, after which an audit takes its turn with the other requests. */
const TURNS_WITHOUT_MAX = 10;

/** The audit under way. */
interface Round {
  readonly symbolId: number;
  readonly symbol: string;
  readonly startMs: number;
  /** Where it waits with the others. */
  request: RestRequest | undefined;
}

/**
 * Asks for the books of live symbols one after the other, round and round, so that the shards can compare. Spends only requests nobody else
 * wants: while a snapshot is due or the budget is not full, it waits. When others than books leave none for ten turns, an audit takes its turn
 * among them, so that they cannot keep books from being audited.
 */
export class AuditRounds {
  /** Audits whose request failed. */
  failed = 0;
  readonly #options: AuditRoundsOptions;
  /** By id, the one audited longest ago first. */
  readonly #symbols = new Map<number, string>();
  readonly #failures: LogGate;
  #round: Round | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** When a snapshot was last asked for. */
  #askedMs: number;

  constructor(options: AuditRoundsOptions) {
    this.#options = options;
    this.#askedMs = options.clock();
    this.#failures = new LogGate(60_000, options.clock);
  }

  add(symbolId: number, symbol: string): void {
    this.#symbols.set(symbolId, symbol);
    if (this.#timer === undefined && this.#round === undefined) this.#wait(this.#options.everyMs, () => this.#begin());
  }

  /** Its audit, if there is one, will not be heard of again. */
  forget(symbolId: number): void {
    this.#symbols.delete(symbolId);
    this.over(symbolId);
  }

  /** The shard is done with the symbol's audit, or lost it. */
  over(symbolId: number): void {
    if (this.#round?.symbolId === symbolId) this.#next(this.#round);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#endRound();
  }

  #wait(delayMs: number, then: () => void): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      then();
    }, delayMs);
  }

  #next({ startMs }: Round): void {
    const { everyMs, clock } = this.#options;
    this.#endRound();
    this.#wait(Math.max(0, startMs + everyMs - clock()), () => this.#begin());
  }

  #endRound(): void {
    if (this.#round?.request !== undefined) this.#options.queue.cancel(this.#round.request);
    this.#round = undefined;
  }

  #begin(): void {
    const { sink, timings, clock, everyMs } = this.#options;
    if (!this.#isSpare() && !this.#isOverdue()) return this.#wait(timings.auditLeadMs, () => this.#begin());
    const found = this.#oldestLive();
    if (found === undefined) return this.#wait(everyMs, () => this.#begin());
    const [symbolId, symbol] = found;
    this.#symbols.delete(symbolId);
    this.#symbols.set(symbolId, symbol);
    const round = (this.#round = { symbolId, symbol, startMs: clock(), request: undefined });
    sink.auditBegun(symbolId, round.startMs);
    this.#wait(timings.auditLeadMs, () => this.#ask(round));
  }

  #isSpare(): boolean {
    const { budget, booksWait, queue } = this.#options;
    return !booksWait() && queue.waiting === 0 && budget.msUntil('audit') === 0;
  }

  #isOverdue(): boolean {
    const { booksWait, clock, everyMs } = this.#options;
    return !booksWait() && clock() - this.#askedMs >= TURNS_WITHOUT_MAX * everyMs;
  }

  #oldestLive(): [symbolId: number, symbol: string] | undefined {
    for (const entry of this.#symbols) if (this.#options.isLive(entry[0])) return entry;
    return undefined;
  }

  /** Sends the request as soon as it takes nothing from anybody, or by turns with others. */
  #ask(round: Round): void {
    const { budget, timings, clock, queue } = this.#options;
    const leftMs = round.startMs + timings.auditWaitMs - clock();
    if (leftMs < 0) return this.#giveUp(round);
    if (this.#isSpare() && budget.tryTake('audit')) return void this.#fetch(round);
    if (!this.#isOverdue()) return this.#wait(Math.max(timings.auditLeadMs, budget.msUntil('audit')), () => this.#ask(round));
    this.#wait(leftMs, () => this.#giveUp(round));
    round.request = {
      kind: RestKind.AUDIT,
      fetch: () => this.#depth(round),
      delivered: (body) => this.#delivered(round, body),
      failed: (error) => this.#failedWith(round, error),
    };
    queue.add(round.request);
  }

  #depth({ symbol }: Round): Promise<Uint8Array> {
    const { rest, limit, clock } = this.#options;
    this.#askedMs = clock();
    return rest.depth(symbol, limit);
  }

  async #fetch(round: Round): Promise<void> {
    let body: Uint8Array;
    try {
      body = await this.#depth(round);
    } catch (error) {
      return this.#failedWith(round, error);
    }
    this.#delivered(round, body);
  }

  #delivered(round: Round, body: Uint8Array): void {
    const { sink, timings, clock } = this.#options;
    if (this.#round !== round) return;
    // A shard whose worker died has nothing to say.
    this.#wait(timings.auditWaitMs, () => this.#giveUp(round));
    sink.auditSnapshot(round.symbolId, body, clock());
  }

  #failedWith(round: Round, error: unknown): void {
    this.failed++;
    const suppressed = this.#failures.pass();
    if (suppressed >= 0) this.#options.logger.warn({ err: error, symbol: round.symbol, suppressed }, 'snapshot for an audit failed');
    if (this.#round !== round) return;
    this.#giveUp(round);
  }

  #giveUp(round: Round): void {
    if (this.#round !== round) return;
    this.#options.sink.auditCancelled(round.symbolId, this.#options.clock());
    this.#next(round);
  }
}
