import { setTimeout as delay } from 'node:timers/promises';
import { assemble, type AssemblyRequest, boundOf } from '../candle/assemble.js';
import { ROW_WORDS } from '../candle/candle-row.js';
import { CandleSource } from '../candle/candle-source.js';
import { toCandle } from '../candle/candle-text.js';
import { type CandleAnswer, type CandleQuestion, decodeAnswer } from '../candle/query.js';
import { SymbolRows } from '../candle/symbol-rows.js';
import type { Candle } from '../model/candle.js';
import type { CandleInterval } from '../model/candle-interval.js';
import type { KlinesRange } from '../model/feed.js';
import type { CandleRange } from '../model/market-data.js';
import type { TrackedSymbol } from '../model/symbol.js';
import type { CandleReader } from '../publish/candle-reader.js';
import { CodedError, ErrorCode } from '../support/errors.js';

/** A question is given up after so long; what came of it until then is kept for the next. */
const DEADLINE_MS = 10_000;
/** The same is asked of the exchange again after so long. */
const SAME_AGAIN_MS = 500;
/** A shard that does not answer is asked again: the answer may have found no room, or the worker was replaced. */
const ASK_AGAIN_MS = 1_000;
/** The exchange pushes a symbol's candles for so long after somebody asked for them. */
const USE_MS = 300_000;
const TOKEN_MAX = 2 ** 52;

export interface CandleDeskOptions {
  /** By shard. */
  readonly readers: readonly CandleReader[];
  readonly ask: (symbolId: number, question: CandleQuestion) => void;
  readonly feed: {
    openKline(symbolId: number): void;
    closeKline(symbolId: number): void;
    requestKlines(symbolId: number, range: KlinesRange, signal: AbortSignal): Promise<void>;
  };
  readonly clock: () => number;
  readonly deadlineMs?: number;
}

interface Waiting {
  readonly answered: (answer: CandleAnswer) => void;
}

/**
 * Candles for whoever asks. What shared memory holds is read at once; the rest is asked of the shard, which says what the exchange has to be
 * asked for first. Main thread only.
 */
export class CandleDesk {
  readonly #options: CandleDeskOptions;
  readonly #waiting = new Map<number, Waiting>();
  /** When the use of a symbol's candles ends, Unix ms, by symbol id. */
  readonly #used = new Map<number, number>();
  readonly #copy = SymbolRows.copy();
  #lastToken = 0;

  constructor(options: CandleDeskOptions) {
    this.#options = options;
  }

  /** Throws CodedError CANDLES_NOT_READY, EXCHANGE_QUEUE_FULL, SYMBOL_NOT_TRACKED, or what the exchange said. */
  async candles(symbol: TrackedSymbol, interval: CandleInterval, { start, end, limit }: CandleRange): Promise<readonly Candle[]> {
    this.#use(symbol.id);
    const request: AssemblyRequest = { interval, startMs: start, endMs: end ?? Number.MAX_SAFE_INTEGER, limit };
    const rows = this.#read(symbol, request) ?? (await this.#ask(symbol, request));
    return Array.from({ length: rows.length / ROW_WORDS }, (_, i) => toCandle(rows, i * ROW_WORDS, symbol.symbol, interval));
  }

  /** A shard answered. */
  answered(payload: Uint8Array): void {
    const answer = decodeAnswer(payload);
    this.#waiting.get(answer.token)?.answered(answer);
  }

  /** Called every second or so: ends the pushes of candles nobody asked for lately. */
  check(): void {
    const nowMs = this.#options.clock();
    for (const [symbolId, untilMs] of this.#used) if (untilMs <= nowMs) this.#release(symbolId);
  }

  /** The symbol is no longer tracked; its pushes end with it. */
  forget(symbolId: number): void {
    this.#used.delete(symbolId);
  }

  #use(symbolId: number): void {
    const { feed, clock } = this.#options;
    if (!this.#used.has(symbolId)) feed.openKline(symbolId);
    this.#used.set(symbolId, clock() + USE_MS);
  }

  #release(symbolId: number): void {
    this.#used.delete(symbolId);
    this.#options.feed.closeKline(symbolId);
  }

  /** From shared memory, when all of it is there and whole. */
  #read(symbol: TrackedSymbol, request: AssemblyRequest): Float64Array | undefined {
    if (!this.#options.readers[symbol.shard]!.read(symbol.slot, this.#copy)) return undefined;
    const { rows, wanted } = assemble(new CandleSource(this.#copy), request, boundOf(this.#copy.newest, this.#options.clock()));
    return wanted.length === 0 && rows.length > 0 ? rows : undefined;
  }

  async #ask(symbol: TrackedSymbol, request: AssemblyRequest): Promise<Float64Array> {
    const waits = new AbortController();
    try {
      return await this.#askUntil(symbol, request, waits.signal);
    } finally {
      // What still waits to be asked of the exchange is not asked for this client.
      waits.abort();
    }
  }

  /** From the shard, as often as it needs another page from the exchange. */
  async #askUntil(symbol: TrackedSymbol, request: AssemblyRequest, signal: AbortSignal): Promise<Float64Array> {
    const { clock, feed, deadlineMs = DEADLINE_MS } = this.#options;
    const deadline = clock() + deadlineMs;
    let before = '';
    for (let failure: CodedError | undefined; ; ) {
      const answer = await this.#question(symbol, request, deadline);
      if (answer.asks.length === 0) return answer.rows;
      // Candles that are there, though not proven whole, say so themselves; one that is missing would pass unnoticed.
      if (failure !== undefined) {
        if (answer.missing === 0) return answer.rows;
        throw failure;
      }
      // What was just asked for was not there yet: a candle that ended a moment ago.
      const asked = JSON.stringify(answer.asks.map(({ base, fromMs, toMs }) => [base, fromMs, toMs]));
      if (asked === before) await delay(SAME_AGAIN_MS);
      before = asked;
      try {
        await beforeDeadline(Promise.all(answer.asks.map((range) => feed.requestKlines(symbol.id, range, signal))), deadline - clock());
      } catch (error) {
        if (!(error instanceof CodedError) || error.code === ErrorCode.SYMBOL_NOT_TRACKED) throw error;
        failure = error;
      }
    }
  }

  async #question(symbol: TrackedSymbol, request: AssemblyRequest, deadline: number): Promise<CandleAnswer> {
    const { ask, clock } = this.#options;
    this.#lastToken = this.#lastToken === TOKEN_MAX ? 1 : this.#lastToken + 1;
    const token = this.#lastToken;
    let again: NodeJS.Timeout | undefined;
    const answer = new Promise<CandleAnswer>((resolve) => {
      this.#waiting.set(token, { answered: resolve });
      ask(symbol.id, { token, ...request });
      again = setInterval(() => ask(symbol.id, { token, ...request }), ASK_AGAIN_MS);
    });
    try {
      return await beforeDeadline(answer, deadline - clock());
    } finally {
      clearInterval(again);
      this.#waiting.delete(token);
    }
  }
}

async function beforeDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new CodedError(ErrorCode.CANDLES_NOT_READY, 'the history of these candles is not there yet');
    timer = setTimeout(() => reject(error), Math.max(0, ms));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
