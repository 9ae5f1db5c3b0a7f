import type { Wanted } from '../candle/assemble.js';
import { CLOSED, COMPLETE, hasFlag } from '../candle/candle-row.js';
import { toCandle } from '../candle/candle-text.js';
import { type CandleInterval, candleIntervals, nextOpen, openTimeOf } from '../model/candle-interval.js';
import { MessageKind, type PublicationSpec } from '../model/publication.js';
import { jsonBytes, type MessageWriter } from './message-writer.js';
import type { Emit, Publication, PublicationParts } from './publication.js';
import type { ShardCandles } from './shard-candles.js';

/** How long the last message of a candle waits for the exchange's figures when not all of its trades were seen. */
const FINAL_WAIT_MS = 10_000;
/** What was lacking is looked for again after so long, or when something came: looking at every tick would take a worker's whole time. */
const LOOK_AGAIN_MS = 1_000;

/**
 * The channel `candle`: the newest candle of an interval as it grows, at most every `intervalMs`, and each one once more when it is over,
 * `closed`. A last message that finds no room is sent as soon as there is some, before anything newer. Nothing is sent before the candle is
 * known from its open on: until then the exchange is asked for what is missing.
 */
export class CandlePublication implements Publication {
  readonly id: number;
  readonly spec: PublicationSpec;
  readonly #slot: number;
  readonly #symbol: string;
  readonly #symbolJson: Uint8Array;
  readonly #interval: CandleInterval;
  readonly #candles: ShardCandles;
  readonly #writer: MessageWriter;
  readonly #emit: Emit;
  readonly #clock: () => number;
  /** Open time of the candle whose last message comes next; 0 = none was sent yet. */
  #openMs = 0;
  #sentRevision = -1;
  #sentMs = -Infinity;
  /** When something was lacking last, and what was known by then. */
  #lackedMs = -Infinity;
  #lackedNews = -1;

  constructor(id: number, spec: PublicationSpec, { symbol, slot, candles, writer, emit, clock }: PublicationParts) {
    this.id = id;
    this.spec = spec;
    this.#slot = slot;
    this.#symbol = symbol;
    this.#symbolJson = jsonBytes(symbol);
    this.#interval = candleIntervals[spec.candleInterval ?? 0]!;
    this.#candles = candles;
    this.#writer = writer;
    this.#emit = emit;
    this.#clock = clock;
  }

  /** Candles are not made from the book. */
  updated(): void {}
  restarted(): void {}
  stateChanged(): void {}
  tapeChanged(): void {}
  tickerChanged(): void {}

  retryState(): void {
    this.tick(this.#clock());
  }

  tick(nowMs: number): void {
    if (this.#looksInVain() || !this.#sendFinals()) return;
    const revision = this.#candles.revision(this.#slot);
    const isDue = nowMs - this.#sentMs >= this.spec.intervalMs;
    if (isDue && (revision !== this.#sentRevision || this.#openMs === 0) && this.#send(MessageKind.SNAPSHOT, 0)) {
      this.#sentRevision = revision;
      this.#sentMs = nowMs;
    }
  }

  /** While the candle is not known, the message for everybody that comes as soon as it is answers this request too. */
  snapshotFor(token: number): boolean {
    return this.#openMs === 0 || this.#send(MessageKind.SNAPSHOT_FOR, token);
  }

  /** The last messages of candles that are over; false when one has to wait. */
  #sendFinals(): boolean {
    if (this.#openMs === 0) return true;
    const finalBefore = this.#candles.finalBefore(this.#slot);
    for (let endMs = nextOpen(this.#interval, this.#openMs); endMs <= finalBefore; endMs = nextOpen(this.#interval, this.#openMs)) {
      const { rows, wanted } = this.#one(this.#openMs);
      if (rows.length > 0 && hasFlag(rows, 0, CLOSED) && hasFlag(rows, 0, COMPLETE)) {
        if (!this.#write(rows, MessageKind.SNAPSHOT, 0)) return false;
      } else if (this.#candles.nowMs - endMs < FINAL_WAIT_MS) {
        this.#lacks(wanted);
        return false;
      } else if (rows.length > 0 && !this.#write(rows, MessageKind.SNAPSHOT, 0)) return false;
      this.#openMs = endMs;
      this.#sentRevision = -1;
    }
    return true;
  }

  /** The candle of now; false when it is not known or finds no room. */
  #send(kind: MessageKind, token: number): boolean {
    const newest = this.#candles.newest(this.#slot);
    const openMs = openTimeOf(this.#interval, newest > 0 ? newest : this.#candles.nowMs);
    const { rows, wanted } = this.#one(openMs);
    if (rows.length === 0) {
      this.#lacks(wanted);
      return false;
    }
    // One that is over, but not final yet, is followed by its last message.
    if (this.#openMs === 0) this.#openMs = openMs;
    return this.#write(rows, kind, token);
  }

  #looksInVain(): boolean {
    return this.#candles.news(this.#slot) === this.#lackedNews && Math.abs(this.#clock() - this.#lackedMs) < LOOK_AGAIN_MS;
  }

  #lacks(wanted: readonly Wanted[]): void {
    this.#candles.want(this.#slot, wanted);
    this.#lackedMs = this.#clock();
    this.#lackedNews = this.#candles.news(this.#slot);
  }

  #one(openMs: number): ReturnType<ShardCandles['assemble']> {
    return this.#candles.assemble(this.#slot, { interval: this.#interval, startMs: openMs, endMs: openMs, limit: 1 });
  }

  #write(rows: Float64Array, kind: MessageKind, token: number): boolean {
    const writer = this.#writer;
    const { symbol: _, interval, ...figures } = toCandle(rows, 0, this.#symbol, this.#interval);
    writer.begin();
    writer.text('{"ch":"candle","sym":');
    writer.raw(this.#symbolJson);
    writer.text(`,"interval":"${interval}","every":${this.spec.intervalMs},"type":"snapshot","tp":`);
    writer.time(this.#clock());
    writer.text(`,${JSON.stringify(figures).slice(1)}`);
    return this.#emit(this.id, kind, token, writer.frame());
  }
}
