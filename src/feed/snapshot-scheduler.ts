import type { Logger } from 'pino';
import type { Clock } from '../support/clock.js';
import { LogGate } from './log-gate.js';
import { isHostFailure } from './rest-queue.js';
import type { SnapshotBudget } from './snapshot-budget.js';
import { compareHeat } from './symbol-line.js';
import type { SymbolLine } from './symbol-line.js';

/** What a snapshot is for; lower numbers go first. */
export const Urgency = {
  /** A book in use lost its place in the stream. */
  RESYNC: 0,
  START: 1,
  /** The book may well be right, only nothing happens. */
  CHECK: 2,
} as const;
export type Urgency = (typeof Urgency)[keyof typeof Urgency];

/** The part of the REST client that snapshots need. */
export interface DepthSource {
  depth(symbol: string, limit: number): Promise<Uint8Array>;
}

export interface SnapshotSchedulerOptions {
  readonly rest: DepthSource;
  readonly budget: SnapshotBudget;
  /** Levels a side to ask for. */
  readonly limit: number;
  /** Requests under way at once. */
  readonly inFlightMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly delivered: (line: SymbolLine, body: Uint8Array, receiveTimeMs: number, urgency: Urgency) => void;
  /** The symbol's own failure: the owner says how long to wait before the next try, which keeps its urgency. */
  readonly failed: (line: SymbolLine, error: unknown) => number;
}

interface Job {
  readonly line: SymbolLine;
  urgency: Urgency;
  state: 'delayed' | 'queued' | 'inFlight';
  timer: NodeJS.Timeout | undefined;
  /** When a delayed job becomes due. */
  dueAt: number;
  /** The answer on its way is not wanted any more. */
  obsolete: boolean;
  /** What was asked for after that: begins when the answer is in, so that there is never a second request beside it. */
  next: { readonly urgency: Urgency; readonly delayMs: number } | undefined;
}

/** One job a line: waits out its delay, then its turn by urgency and heat, then a place in the budget. */
export class SnapshotScheduler {
  readonly #options: SnapshotSchedulerOptions;
  readonly #jobs = new Map<SymbolLine, Job>();
  readonly #queue = new Set<Job>();
  readonly #failures: LogGate;
  #inFlight = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SnapshotSchedulerOptions) {
    this.#options = options;
    this.#failures = new LogGate(5000, options.clock);
  }

  /** Symbols that wait for their turn or for their delay. */
  get waiting(): number {
    return this.#jobs.size - this.#inFlight;
  }

  /** A request waits for nothing but its turn and the budget. */
  get isDue(): boolean {
    return this.#queue.size > 0;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** The urgency of the line's snapshot that is on its way or about to be; `undefined` when there is none. */
  pending(line: SymbolLine): Urgency | undefined {
    const job = this.#jobs.get(line);
    return job?.obsolete === true ? job.next?.urgency : job?.urgency;
  }

  /** Asks for one snapshot. Requests of one line merge: the more urgent and the earlier one counts, one under way serves all. */
  request(line: SymbolLine, urgency: Urgency, delayMs: number): void {
    if (this.#closed) return;
    const job = this.#jobs.get(line);
    if (job === undefined) return this.#begin(line, urgency, delayMs);
    if (job.state === 'inFlight') {
      if (job.obsolete) job.next = { urgency, delayMs };
      return;
    }
    job.urgency = Math.min(job.urgency, urgency) as Urgency;
    if (job.state === 'delayed' && this.#options.clock() + delayMs < job.dueAt) this.#delay(job, delayMs);
    this.#pump();
  }

  /** Forgets the line's request; the answer to one under way is thrown away. */
  cancel(line: SymbolLine): void {
    const job = this.#jobs.get(line);
    if (job === undefined) return;
    if (job.state === 'inFlight') {
      job.obsolete = true;
      job.next = undefined;
      return;
    }
    clearTimeout(job.timer);
    this.#queue.delete(job);
    this.#jobs.delete(line);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const job of this.#jobs.values()) {
      clearTimeout(job.timer);
      job.obsolete = true;
    }
    this.#queue.clear();
  }

  #begin(line: SymbolLine, urgency: Urgency, delayMs: number): void {
    const job: Job = { line, urgency, state: 'delayed', timer: undefined, dueAt: 0, obsolete: false, next: undefined };
    this.#jobs.set(line, job);
    this.#delay(job, delayMs);
  }

  #delay(job: Job, delayMs: number): void {
    clearTimeout(job.timer);
    if (delayMs <= 0) return this.#enqueue(job);
    job.dueAt = this.#options.clock() + delayMs;
    job.timer = setTimeout(() => this.#enqueue(job), delayMs);
  }

  #enqueue(job: Job): void {
    job.state = 'queued';
    job.timer = undefined;
    this.#queue.add(job);
    this.#pump();
  }

  /** Starts what the budget allows, and comes back when it allows more. */
  #pump(): void {
    while (this.#queue.size > 0 && this.#inFlight < this.#options.inFlightMax) {
      const job = this.#first();
      const purpose = job.urgency === Urgency.RESYNC ? 'resync' : 'start';
      if (!this.#options.budget.tryTake(purpose)) return this.#comeBack(this.#options.budget.msUntil(purpose));
      void this.#run(job);
    }
  }

  #comeBack(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), delayMs);
  }

  /** A scan: a few thousand entries, some eight times a second. */
  #first(): Job {
    let best: Job | undefined;
    for (const job of this.#queue) if (best === undefined || compareJobs(job, best) < 0) best = job;
    return best!;
  }

  async #run(job: Job): Promise<void> {
    this.#queue.delete(job);
    job.state = 'inFlight';
    this.#inFlight++;
    const answer = await this.#fetch(job.line);
    this.#inFlight--;
    this.#jobs.delete(job.line);
    if (this.#closed) return;
    if (job.next !== undefined) this.#begin(job.line, job.next.urgency, job.next.delayMs);
    if (!job.obsolete) {
      if ('body' in answer) this.#options.delivered(job.line, answer.body, this.#options.clock(), job.urgency);
      else this.#retry(job, answer.error);
    }
    this.#pump();
  }

  async #fetch(line: SymbolLine): Promise<{ readonly body: Uint8Array } | { readonly error: unknown }> {
    try {
      return { body: await this.#options.rest.depth(line.symbol.symbol, this.#options.limit) };
    } catch (error) {
      return { error };
    }
  }

  #retry(job: Job, error: unknown): void {
    if (isHostFailure(error)) {
      // The budget has paused everybody; the symbol keeps its turn.
      this.#log(job, error, 0);
      return this.request(job.line, job.urgency, 0);
    }
    const delayMs = this.#options.failed(job.line, error);
    this.#log(job, error, delayMs);
    this.request(job.line, job.urgency, delayMs);
  }

  #log(job: Job, error: unknown, delayMs: number): void {
    const suppressed = this.#failures.pass();
    if (suppressed < 0) return;
    const pausedUntil = this.#options.budget.pausedUntil;
    const pausedMs = pausedUntil === null ? 0 : Math.round(pausedUntil - this.#options.clock());
    this.#options.logger.warn(
      { err: error, symbol: job.line.symbol.symbol, retryInMs: Math.round(delayMs), pausedMs, suppressed },
      'snapshot failed',
    );
  }
}

function compareJobs(a: Job, b: Job): number {
  return a.urgency !== b.urgency ? a.urgency - b.urgency : compareHeat(a.line, b.line);
}
