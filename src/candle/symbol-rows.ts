import { readBegin, readUnchanged, writeBegin, writeEnd } from '../memory/seqlock.js';
import { FINAL_BEFORE, IN_USE, NEWEST, type RingInterval, ringRow, SLOT_WORDS, slotWord, VERSION_INT } from './candle-layout.js';
import { copyRow, OPEN_TIME } from './candle-row.js';

/** Finds rows by interval and open time. */
export interface RowSource {
  /** The doubles the rows lie in. */
  readonly rows: Float64Array;
  /** The word of the row, -1 when there is none. */
  find(interval: RingInterval, openMs: number): number;
}

/** One symbol's place in the candles of a shard, or a copy of it. */
export class SymbolRows implements RowSource {
  readonly rows: Float64Array;
  readonly #ints: Int32Array;
  readonly #first: number;
  readonly #version: number;

  /** `first`: the word the place begins at. */
  constructor(rows: Float64Array, first: number) {
    this.rows = rows;
    this.#ints = new Int32Array(rows.buffer);
    this.#first = first;
    this.#version = first * 2 + VERSION_INT;
  }

  static at(candles: SharedArrayBuffer, slot: number): SymbolRows {
    return new SymbolRows(new Float64Array(candles), slotWord(slot));
  }

  /** Room for a copy of one symbol's place. */
  static copy(): SymbolRows {
    return new SymbolRows(new Float64Array(SLOT_WORDS), 0);
  }

  /** Open time of the newest minute; 0 = none yet. */
  get newest(): number {
    return this.rows[this.#first + NEWEST]!;
  }

  get finalBefore(): number {
    return this.rows[this.#first + FINAL_BEFORE]!;
  }

  /** Another number after every change. */
  get revision(): number {
    return this.#ints[this.#version]!;
  }

  find(interval: RingInterval, openMs: number): number {
    const word = this.#first + ringRow(interval, openMs);
    return openMs > 0 && this.rows[word + OPEN_TIME] === openMs ? word : -1;
  }

  // ---- the writer, i.e. the shard

  /** Puts a row in its place, over whatever was there. */
  put(interval: RingInterval, row: Float64Array, at: number): void {
    const { rows } = this;
    writeBegin(this.#ints, this.#version);
    copyRow(rows, this.#first + ringRow(interval, row[at + OPEN_TIME]!), row, at);
    rows[this.#first + IN_USE] = 1;
    writeEnd(this.#ints, this.#version);
  }

  /** Says which minute is the newest, and which are final. */
  setTimes(newest: number, finalBefore: number): void {
    writeBegin(this.#ints, this.#version);
    this.rows[this.#first + NEWEST] = newest;
    this.rows[this.#first + FINAL_BEFORE] = finalBefore;
    this.rows[this.#first + IN_USE] = 1;
    writeEnd(this.#ints, this.#version);
  }

  /** Forgets everything. Pages that were never touched stay so. */
  clear(): void {
    this.recover();
    if (this.rows[this.#first + IN_USE] === 0) return;
    writeBegin(this.#ints, this.#version);
    this.rows.fill(0, this.#first + 1, this.#first + SLOT_WORDS);
    writeEnd(this.#ints, this.#version);
  }

  /** The writer died: what it was changing is not known. For whoever owns the memory then. */
  recover(): void {
    if ((this.#ints[this.#version]! & 1) === 0) return;
    this.rows.fill(0, this.#first + 1, this.#first + SLOT_WORDS);
    writeEnd(this.#ints, this.#version);
  }

  // ---- readers

  /** Copies the whole place into `copy`; false when a write came between. */
  readInto(copy: SymbolRows): boolean {
    const before = readBegin(this.#ints, this.#version);
    if ((before & 1) !== 0) return false;
    copy.rows.set(this.rows.subarray(this.#first, this.#first + SLOT_WORDS), copy.#first);
    return readUnchanged(this.#ints, this.#version, before);
  }
}
