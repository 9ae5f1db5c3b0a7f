import { COUNT_APPLIED, COUNT_DROPPED, COUNT_GAPS, COUNT_REFUSED, COUNT_RESYNCS } from '../../src/book/book-layout.js';
import { SymbolRows } from '../../src/candle/symbol-rows.js';
import { METER_TEXT_FRAMES, METER_TEXT_REFUSED } from '../../src/memory/shard-meter.js';
import { AuditOutcome } from '../../src/model/audit.js';
import { type BookCopy, createBookCopy } from '../../src/model/book-copy.js';
import { BookState, StateReason } from '../../src/model/book-state.js';
import { Channel, Format } from '../../src/model/publication.js';
import { REFUSED_SNAPSHOT } from '../../src/shard/records.js';
import { TAPE_COUNT_FILLED, TAPE_COUNT_PUSHED, TAPE_COUNT_REFUSED, TAPE_COUNT_REPEATED } from '../../src/tape/tape-layout.js';
import { TickerWords } from '../../src/ticker/ticker-words.js';
import { idOf, ShardBench } from '../support/shard-bench.js';
import { type InputKind, NOW, THIS_MINUTE } from './exchange-inputs.js';
import { ExchangeLine } from './exchange-line.js';

/** By slot; slot 0 stays free. */
export const symbols = ['', 'BTCUSDT', 'ETHUSDT'] as const;
export const slots = [1, 2] as const;
export type Slot = (typeof slots)[number];

/** What shows that inputs were read or refused, of one symbol or of all; counts that grow. */
export interface Signs {
  /** Pushes of depth that were read, and depth inputs that were refused. */
  readonly pushes: number;
  readonly depthRefused: number;
  readonly snapshots: number;
  readonly trades: number;
  readonly filled: number;
  readonly tradesRefused: number;
  readonly candles: number;
  readonly tickers: number;
  readonly texts: number;
  readonly textsRefused: number;
  readonly channelsJudged: number;
  readonly routed: number;
  readonly strays: number;
}

/** Both threads' side of two symbols: a connection that carries them, with everything behind it, over the rings of a real shard. */
export class FuzzWorld {
  /** Depth inputs and the like that the main thread handed to a symbol since this was emptied. */
  readonly handed: { readonly slot: number; readonly form: 'push' | 'text' | 'other'; readonly bytes: Uint8Array }[] = [];
  readonly bench: ShardBench;
  #line: ExchangeLine | undefined;
  readonly #copies = symbols.map(() => createBookCopy(1024));
  readonly #tickers: TickerWords;
  readonly #meters: Float64Array;
  readonly #rows: readonly SymbolRows[];

  private constructor() {
    const bench = (this.bench = new ShardBench({ booksBytes: 2 ** 24, tape: 100 }));
    bench.now = NOW;
    this.#tickers = new TickerWords(bench.buffers.tickers);
    this.#meters = new Float64Array(bench.buffers.meters);
    this.#rows = symbols.map((_, slot) => SymbolRows.at(bench.buffers.candles, slot));
    bench.tick(0);
    for (const slot of slots) {
      bench.track(symbols[slot], slot).lineUp(slot).streamUp(slot);
      bench.snapshot({ lastUpdateId: 100, bids: [['9999.5', '1']], asks: [['10000.5', '2']] }, slot);
    }
    const spec = { depth: 20, intervalMs: 0 };
    bench.open(1, { ...spec, channel: Channel.BOOK, format: Format.JSON });
    bench.open(2, { ...spec, channel: Channel.BOOK, format: Format.PROTOBUF });
    bench.open(3, { ...spec, depth: 0, channel: Channel.BBO, format: Format.JSON });
    bench.open(4, { ...spec, depth: 0, channel: Channel.TRADE, format: Format.JSON });
    bench.open(5, { ...spec, depth: 0, intervalMs: 100, channel: Channel.TICKER, format: Format.JSON });
    bench.open(6, { ...spec, channel: Channel.BOOK, format: Format.JSON }, 2);
    this.#listen();
  }

  static async open(): Promise<FuzzWorld> {
    const world = new FuzzWorld();
    const { bench } = world;
    world.#line = await ExchangeLine.open(bench.ingress, new Map(slots.map((slot) => [idOf(slot), symbols[slot]])), () => bench.now);
    return world;
  }

  get line(): ExchangeLine {
    return this.#line!;
  }

  async close(): Promise<void> {
    await this.line.close();
  }

  /** An input goes the way of its kind, up to the end of all work it makes. Answers are about `slot`; everything else says itself what it is about. */
  async send(kind: InputKind, slot: Slot, bytes: Uint8Array): Promise<void> {
    const { bench, line } = this;
    const { ingress, now } = bench;
    const id = idOf(slot);
    switch (kind) {
      case 'depth answer':
        ingress.snapshot(id, bytes, now);
        break;
      case 'audit answer':
        ingress.auditSnapshot(id, bytes, now);
        break;
      case 'trades answer':
        ingress.trades(id, bytes, now);
        break;
      case 'candles answer':
        ingress.klines(id, { base: 0, fromMs: THIS_MINUTE - 600_000, toMs: THIS_MINUTE + 60_000 }, bytes, now);
        break;
      case 'tickers answer':
        ingress.tickers(bytes, now);
        break;
      case 'text push':
      case 'control frame':
        await line.text(bytes);
        break;
      default:
        line.binary(bytes, now);
    }
    bench.work();
  }

  /** The book in a slot, good until the next call for it. */
  read(slot: Slot, copy: BookCopy = this.#copies[slot]!): BookCopy {
    if (!this.bench.reader.read(slot, 0, copy)) throw new Error('a write section is open');
    return copy;
  }

  /** Asks for a depth answer that makes the book live for certain, and gives it. */
  revive(slot: Slot): void {
    const { bench } = this;
    const { version } = bench.book(slot, -1);
    bench.lineDown(StateReason.LINE_DOWN, slot).lineUp(slot);
    // Newer than all that waits; where no number is, one of a count that began anew, which is believed after a few.
    const lastUpdateId = version < 2 ** 52 ? version + 1_000_000 : 1_000;
    for (let tries = 0; tries < 8 && bench.book(slot, -1).state !== BookState.LIVE; tries++) {
      bench.snapshot({ lastUpdateId, bids: [['9999.5', '1']], asks: [['10000.5', '2']] }, slot);
    }
  }

  signs(slot: Slot): Signs {
    const { bench, line } = this;
    const tape = (field: number): number => bench.tapes.field(slot, field);
    const { frames, framesMalformed, framesUnknownSymbol } = line.router.counters;
    const meters = this.#meters;
    return {
      pushes: bench.counter(COUNT_APPLIED, slot) + bench.counter(COUNT_DROPPED, slot) + bench.counter(COUNT_GAPS, slot),
      depthRefused: bench.counter(COUNT_REFUSED, slot),
      snapshots: bench.counter(COUNT_RESYNCS, slot),
      trades: tape(TAPE_COUNT_PUSHED) + tape(TAPE_COUNT_REPEATED),
      filled: tape(TAPE_COUNT_FILLED),
      tradesRefused: tape(TAPE_COUNT_REFUSED),
      candles: this.#rows[slot]!.revision,
      tickers: this.#tickers.i32[this.#tickers.version(slot)]!,
      texts: meters[METER_TEXT_FRAMES]!,
      textsRefused: line.textsRefused + meters[METER_TEXT_REFUSED]! + meters[METER_TEXT_REFUSED + 1]! + meters[METER_TEXT_REFUSED + 2]!,
      channelsJudged: line.judged,
      routed: frames,
      strays: framesMalformed + framesUnknownSymbol,
    };
  }

  /** Forgets what the bench noted of the input before. */
  forget(): void {
    const { bench } = this;
    for (const list of [
      bench.messages,
      bench.tradesHeads,
      bench.states,
      bench.resyncs,
      bench.refusals,
      bench.audits,
      bench.tradesWantedBy,
      bench.klineAsks,
      this.handed,
    ]) {
      list.length = 0;
    }
  }

  /** Whether the last input was an audit's answer that could be read; `undefined` = it has to wait, or nothing was asked. */
  get auditRead(): boolean | undefined {
    const { outcome } = this.bench.audits.at(-1) ?? {};
    if (outcome === AuditOutcome.UNREADABLE) return false;
    return outcome === AuditOutcome.MATCH || outcome === AuditOutcome.MISMATCH || outcome === AuditOutcome.NO_JOIN ? true : undefined;
  }

  /** Depth answers that were refused by the last input. */
  get answersRefused(): number {
    return this.bench.refusals.filter((what) => what === REFUSED_SNAPSHOT).length;
  }

  /** Notes what the main thread hands to whom. */
  #listen(): void {
    const { ingress } = this.bench;
    const { frame, deals, kline, text } = ingress;
    const note = (id: number, form: 'push' | 'text' | 'other', bytes: Uint8Array): void => {
      this.handed.push({ slot: id - idOf(0), form, bytes });
    };
    ingress.frame = (...push) => {
      note(push[0], 'push', Uint8Array.from(push[1].subarray(push[2], push[3])));
      return frame.apply(ingress, push);
    };
    ingress.deals = (...push) => {
      note(push[0], 'other', Uint8Array.from(push[1].subarray(push[2], push[3])));
      return deals.apply(ingress, push);
    };
    ingress.kline = (...push) => {
      note(push[0], 'other', Uint8Array.from(push[1].subarray(push[2], push[3])));
      return kline.apply(ingress, push);
    };
    ingress.text = (...push) => {
      note(push[0], 'text', Uint8Array.from(push[1]));
      return text.apply(ingress, push);
    };
  }
}

/** A live book, or one that was only silent: it applies the pushes that join it. */
export function isFollowing({ state, reason }: BookCopy): boolean {
  return state === BookState.LIVE || (state === BookState.STALE && reason === StateReason.SILENT);
}
