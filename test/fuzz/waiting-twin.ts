import { DepthDecode } from '../../src/mexc/decode-depth.js';
import { decodeLegacyBytes } from '../../src/mexc/legacy-json/columns.js';
import { type BookCopy, createBookCopy } from '../../src/model/book-copy.js';
import { BookState } from '../../src/model/book-state.js';
import { decodeFrame } from '../support/depth-frame.js';
import { idOf, ShardBench } from '../support/shard-bench.js';

/** Something about a book's depth, as the shard gets it. */
export interface DepthInput {
  readonly form: 'push' | 'text' | 'answer';
  readonly bytes: Uint8Array;
}

/** What a book that became live was made from. */
export interface Origin {
  readonly waiting: readonly DepthInput[];
  readonly last: DepthInput;
  readonly cut: boolean;
}

const SLOT = 1;

/**
 * A second book of a symbol, made anew from what a book that became live was made from, but without the pushes that cannot be read. The two must be
 * the same.
 */
export class WaitingTwin {
  readonly #bench = new ShardBench({ booksBytes: 2 ** 22 });
  readonly #copy = createBookCopy(1024);
  #tracked = false;

  /**
   * What is wrong with `book`, which became live by `last` after `waiting`; its scales were those of `before`. `cut`: an earlier answer that did not join
   * may have shown some of the first to be of no use.
   */
  judge(symbol: string, before: BookCopy, { waiting, last, cut }: Origin, book: BookCopy): string | undefined {
    if (!cut && endsUnread(waiting, before)) return 'made a book live although the last push that waited was lost';
    const wrong = this.#compare(symbol, before, [...waiting, last], book);
    if (wrong === undefined || !cut) return wrong;
    const isSoBehind = (first: number): boolean => this.#compare(symbol, before, [...waiting.slice(first), last], book) === undefined;
    return waiting.some((_, i) => isSoBehind(i + 1)) ? undefined : wrong;
  }

  #compare(symbol: string, { priceScale, quantityScale }: BookCopy, depth: readonly DepthInput[], book: BookCopy): string | undefined {
    const bench = this.#bench;
    if (this.#tracked) bench.untrack(SLOT);
    this.#tracked = true;
    bench.track(symbol, SLOT, priceScale, quantityScale).lineUp(SLOT);
    for (const { form, bytes } of depth) {
      if (form === 'text') bench.ingress.text(idOf(SLOT), bytes, bench.now);
      else if (form === 'answer') bench.snapshot(bytes, SLOT);
      else if (decode(bytes, priceScale, quantityScale) === DepthDecode.OK) bench.frame(bytes, SLOT);
      bench.work();
    }
    for (const notes of [bench.states, bench.resyncs, bench.refusals, bench.untrackedSlots]) notes.length = 0;
    if (!bench.reader.read(SLOT, 0, this.#copy)) return 'left a write section open';
    if (this.#copy.state !== BookState.LIVE) return 'made a book live that is not so without what cannot be read';
    return isSameBook(this.#copy, book) ? undefined : 'made another book live than the sound inputs say';
  }
}

/** Version and levels by value, whatever the scales. */
export function isSameBook(a: BookCopy, b: BookCopy): boolean {
  if (a.version !== b.version || a.bidCount !== b.bidCount || a.askCount !== b.askCount) return false;
  const price = 10 ** (b.priceScale - a.priceScale);
  const quantity = 10 ** (b.quantityScale - a.quantityScale);
  return (
    isSame(a.bidTicks, b.bidTicks, a.bidCount, price) &&
    isSame(a.bidLots, b.bidLots, a.bidCount, quantity) &&
    isSame(a.askTicks, b.askTicks, a.askCount, price) &&
    isSame(a.askLots, b.askLots, a.askCount, quantity)
  );
}

/** `one` times `factor`, to the nearest double, is `two`. */
function isSame(one: Float64Array, two: Float64Array, count: number, factor: number): boolean {
  for (let i = 0; i < count; i++) {
    const scaled = one[i]! * factor;
    if (scaled !== two[i] && Math.abs(scaled - two[i]!) > Math.abs(scaled) * 1e-15) return false;
  }
  return true;
}

/** Whether a text frame is a whole book, as an answer is. */
export function isWholeBook(bytes: Uint8Array): boolean {
  try {
    const event = decodeLegacyBytes(bytes, 0, bytes.length);
    return event.kind === 'book' && event.effect.startsWith('replace');
  } catch {
    return false;
  }
}

/** Whether no later push shows that what the last unreadable one held is in the book. */
function endsUnread(waiting: readonly DepthInput[], { priceScale, quantityScale }: BookCopy): boolean {
  const last = waiting.findLast(({ form, bytes }) => form === 'push' && decode(bytes, priceScale, quantityScale) !== DepthDecode.NOT_DEPTH);
  return last === waiting.at(-1) && last !== undefined && decode(last.bytes, priceScale, quantityScale) !== DepthDecode.OK;
}

function decode(bytes: Uint8Array, priceScale: number, quantityScale: number): DepthDecode {
  const { outcome, delta } = decodeFrame(bytes, priceScale, quantityScale);
  if (outcome !== DepthDecode.RESCALE) return outcome;
  return decodeFrame(bytes, delta.priceScaleNeeded, delta.quantityScaleNeeded).outcome;
}
