import { assert } from '../support/assert.js';
import {
  AUX_OFFSET,
  CONSUMER_POSITION_BYTE,
  KEY_OFFSET,
  LENGTH_OFFSET,
  PADDING_TYPE,
  PAYLOAD_OFFSET,
  PRODUCER_POSITION_BYTE,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  RECORDS_BYTE,
  SKEW_MAX,
  SKEW_SHIFT,
  SLEEPING_BYTE,
  TIME_OFFSET,
  TYPE_MASK,
  TYPE_OFFSET,
} from './spsc-ring-layout.js';

const PRODUCER = PRODUCER_POSITION_BYTE >> 2;
const CONSUMER = CONSUMER_POSITION_BYTE >> 2;
const SLEEPING = SLEEPING_BYTE >> 2;
const NO_BYTES = new Uint8Array(0);
/** Records written for the end of the turn are shown to a consumer that is awake once they take as many bytes. */
const UNSHOWN_BYTES_MAX = 16 * 1024;
/** Parts of a buffer up to this long are copied by a loop of ours: V8's copy is quicker for long ones, but needs an object made for each part. */
const COPIED_BY_WORDS_MAX = 4096;

/** The writing end. One thread only. */
export class RingProducer {
  readonly capacity: number;
  /** Largest payload a record may carry. */
  readonly payloadBytesMax: number;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  #position: number;
  /** The position the consumer was last shown. */
  #shown: number;
  /** The consumer's position as last seen; reloaded only when the ring looks full. */
  #consumerCache: number;
  /** The buffer that the last part of one was copied from, and its memory as words, from the word in which it begins. */
  #source: Uint8Array = NO_BYTES;
  #sourceWords: Int32Array = new Int32Array(0);
  /** The end of this turn shows what was written. */
  #turnEnds = false;
  readonly #beforeShown: (() => void) | undefined;
  readonly #endTurn = (): void => {
    this.#turnEnds = false;
    this.#beforeShown?.();
    this.show();
  };

  /** `beforeShown` is called at the end of a turn in which `writeSoon` was used, just before the consumer is shown its records. */
  constructor(buffer: SharedArrayBuffer, beforeShown?: () => void) {
    this.#beforeShown = beforeShown;
    this.capacity = buffer.byteLength - RECORDS_BYTE;
    this.payloadBytesMax = (this.capacity >> 1) - RECORD_HEADER_BYTES - SKEW_MAX - 1;
    this.#mask = this.capacity - 1;
    this.#words = new Int32Array(buffer);
    this.#times = new Float64Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.#position = Atomics.load(this.#words, PRODUCER);
    this.#shown = this.#position;
    this.#consumerCache = Atomics.load(this.#words, CONSUMER);
  }

  /** Bytes written and not yet released by the consumer. */
  usedBytes(): number {
    return (this.#position - Atomics.load(this.#words, CONSUMER)) | 0;
  }

  /** Whether less than half of the ring is in use. Costs a look at the consumer's position only when it seems not to be. */
  isHalfEmpty(): boolean {
    const half = this.capacity >> 1;
    if (((this.#position - this.#consumerCache) | 0) < half) return true;
    this.#consumerCache = Atomics.load(this.#words, CONSUMER);
    return ((this.#position - this.#consumerCache) | 0) < half;
  }

  /** Writes one record and shows it to the consumer; false when it does not fit now. `payload` may be any view, shared or not. */
  write(type: number, key: number, aux: number, timeMs: number, payload: Uint8Array = NO_BYTES): boolean {
    const fits = this.#append(type, key, aux, timeMs, payload, 0, payload.length);
    if (fits) this.show();
    return fits;
  }

  /**
   * The same with `bytes[start, end)` for a payload, but a consumer that sleeps is woken at the end of this turn of the loop, once for all records of the turn: waking costs some
   * microseconds, writing a tenth of one. For the main thread.
   */
  writeSoon(type: number, key: number, aux: number, timeMs: number, bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    if (!this.#append(type, key, aux, timeMs, bytes, start, end)) return false;
    if (!this.#turnEnds) {
      this.#turnEnds = true;
      queueMicrotask(this.#endTurn);
    }
    if (((this.#position - this.#shown) | 0) >= UNSHOWN_BYTES_MAX) this.#showPosition();
    return true;
  }

  /** Shows the consumer everything written so far, and wakes it when it sleeps. */
  show(): void {
    if (this.#shown !== this.#position) this.#showPosition();
    // Sequentially consistent with the consumer's own order (flag, then position): either we see the flag, or it sees the position.
    if (Atomics.load(this.#words, SLEEPING) !== 0) Atomics.notify(this.#words, PRODUCER);
  }

  /** Takes everything back that was not released, and shows it to `each`, in order. Only while no thread consumes: this one stands in for the dead consumer. */
  takeBack(each: (record: RingConsumer) => void): void {
    this.show();
    const ring = new RingConsumer(this.#words.buffer as SharedArrayBuffer);
    while (ring.next()) each(ring);
    ring.release();
    ring.awake();
  }

  #showPosition(): void {
    this.#shown = this.#position;
    // Pairs with the load in RingConsumer.next: whoever sees this position sees the bytes of all records before it.
    Atomics.store(this.#words, PRODUCER, this.#position);
  }

  #append(type: number, key: number, aux: number, timeMs: number, bytes: Uint8Array, from: number, to: number): boolean {
    // The condition first: an assert's message would be put together for every record.
    if (to - from > this.payloadBytesMax) {
      assert(false, `record payload of ${to - from} bytes exceeds ${this.payloadBytesMax}`);
    }
    const skew = (bytes.byteOffset + from) & SKEW_MAX;
    const length = RECORD_HEADER_BYTES + skew + to - from;
    const size = (length + RECORD_ALIGNMENT - 1) & -RECORD_ALIGNMENT;
    let offset = this.#position & this.#mask;
    const untilEnd = this.capacity - offset;
    const padding = size > untilEnd ? untilEnd : 0;
    const needed = size + padding;
    if (((this.#position + needed - this.#consumerCache) | 0) > this.capacity) {
      // Pairs with the store in RingConsumer.release: bytes up to there were read and may be overwritten.
      this.#consumerCache = Atomics.load(this.#words, CONSUMER);
      if (((this.#position + needed - this.#consumerCache) | 0) > this.capacity) return false;
    }
    if (padding > 0) {
      this.#words[(RECORDS_BYTE + offset + LENGTH_OFFSET) >> 2] = padding;
      this.#words[(RECORDS_BYTE + offset + TYPE_OFFSET) >> 2] = PADDING_TYPE;
      offset = 0;
    }
    const start = RECORDS_BYTE + offset;
    const words = this.#words;
    words[(start + LENGTH_OFFSET) >> 2] = length;
    words[(start + TYPE_OFFSET) >> 2] = type | (skew << SKEW_SHIFT);
    words[(start + KEY_OFFSET) >> 2] = key;
    words[(start + AUX_OFFSET) >> 2] = aux;
    this.#times[(start + TIME_OFFSET) >> 3] = timeMs;
    if (to > from) this.#copy(bytes, from, to, start + PAYLOAD_OFFSET + skew);
    this.#position = (this.#position + needed) | 0;
    return true;
  }

  /** `target` lies on the same byte of a word as `bytes[from]`, with room before it down to the beginning of the word. */
  #copy(bytes: Uint8Array, from: number, to: number, target: number): void {
    if (to - from === bytes.length) return this.#bytes.set(bytes, target);
    if (to - from > COPIED_BY_WORDS_MAX) return this.#bytes.set(bytes.subarray(from, to), target);
    if (bytes !== this.#source) this.#look(bytes);
    const lead = bytes.byteOffset & 3;
    const source = this.#sourceWords;
    const words = this.#words;
    const last = (lead + to) >> 2;
    const shift = ((target - from - lead) >> 2) | 0;
    for (let i = (lead + from) >> 2; i < last; i++) words[i + shift] = source[i]!;
    for (let i = Math.max(from, (last << 2) - lead); i < to; i++) this.#bytes[target - from + i] = bytes[i]!;
  }

  #look(bytes: Uint8Array): void {
    const { buffer, byteOffset, length } = bytes;
    this.#source = bytes;
    this.#sourceWords = new Int32Array(buffer, byteOffset & ~3, ((byteOffset & 3) + length) >> 2);
  }
}

/**
 * The reading end. One thread only. `next()` steps to a record and shows it in the fields below; its payload lies in `bytes` from
 * `payloadStart` to `payloadEnd` and stays valid until `release()`, which hands the space of all records read so far back to the producer.
 */
export class RingConsumer {
  type = 0;
  key = 0;
  aux = 0;
  /** Begins as NaN, so that the field holds doubles from the start and none is put in a box of its own. */
  timeMs = NaN;
  payloadStart = 0;
  payloadEnd = 0;
  readonly bytes: Uint8Array;
  /** Over the same memory as `bytes`. */
  readonly view: DataView;
  readonly capacity: number;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #mask: number;
  #position: number;
  /** The producer's position as last seen; reloaded only when everything known was read. */
  #producerCache: number;

  constructor(buffer: SharedArrayBuffer) {
    this.capacity = buffer.byteLength - RECORDS_BYTE;
    this.#mask = this.capacity - 1;
    this.#words = new Int32Array(buffer);
    this.#times = new Float64Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.#position = Atomics.load(this.#words, CONSUMER);
    this.#producerCache = this.#position;
  }

  /** Steps to the next record; false when there is none yet. */
  next(): boolean {
    for (;;) {
      if (this.#position === this.#producerCache) {
        // Pairs with the store in RingProducer.#showPosition.
        this.#producerCache = Atomics.load(this.#words, PRODUCER);
        if (this.#position === this.#producerCache) return false;
      }
      const words = this.#words;
      const start = RECORDS_BYTE + (this.#position & this.#mask);
      const length = words[(start + LENGTH_OFFSET) >> 2]!;
      if (length < RECORD_ALIGNMENT || start + length > RECORDS_BYTE + this.capacity) {
        assert(false, `ring record of ${length} bytes at ${start}`);
      }
      this.#position = (this.#position + ((length + RECORD_ALIGNMENT - 1) & -RECORD_ALIGNMENT)) | 0;
      const type = words[(start + TYPE_OFFSET) >> 2]!;
      if (type === PADDING_TYPE) continue;
      this.type = type & TYPE_MASK;
      this.key = words[(start + KEY_OFFSET) >> 2]!;
      this.aux = words[(start + AUX_OFFSET) >> 2]!;
      this.timeMs = this.#times[(start + TIME_OFFSET) >> 3]!;
      this.payloadStart = start + PAYLOAD_OFFSET + (type >>> SKEW_SHIFT);
      this.payloadEnd = start + length;
      return true;
    }
  }

  /** Bytes written and not read yet. */
  usedBytes(): number {
    return (Atomics.load(this.#words, PRODUCER) - this.#position) | 0;
  }

  /** Gives the space of every record read so far back to the producer. */
  release(): void {
    Atomics.store(this.#words, CONSUMER, this.#position);
  }

  /** Blocks until a record is there or `timeoutMs` passed. Worker threads only; call after `release()`. */
  waitForRecord(timeoutMs: number): void {
    const words = this.#words;
    Atomics.store(words, SLEEPING, 1);
    // Returns at once when the producer has moved on: the flag above was stored before this look at the position.
    Atomics.wait(words, PRODUCER, this.#position, timeoutMs);
    Atomics.store(words, SLEEPING, 0);
  }

  /** Resolves when a record is there; `undefined` when one is there already. For the main thread, which must not block. */
  recordArrival(): Promise<unknown> | undefined {
    const words = this.#words;
    Atomics.store(words, SLEEPING, 1);
    const outcome = Atomics.waitAsync(words, PRODUCER, this.#position);
    if (outcome.async) return outcome.value;
    Atomics.store(words, SLEEPING, 0);
    return undefined;
  }

  /**
   * Announces once more, after `awake`, that the promise of `recordArrival` is waited for, which has not been heard of yet; false when a record is there, and
   * nothing is announced. Should it have resolved already, whoever waits for it hears of that soon, record or not.
   */
  asleepAgain(): boolean {
    const words = this.#words;
    Atomics.store(words, SLEEPING, 1);
    // The same pair as in `recordArrival`: the flag was stored before this look at the position.
    if (Atomics.load(words, PRODUCER) === this.#position) return true;
    Atomics.store(words, SLEEPING, 0);
    return false;
  }

  /** Ends the announcement made by `recordArrival`: its promise has resolved, or we look at the ring ourselves. */
  awake(): void {
    Atomics.store(this.#words, SLEEPING, 0);
  }
}
