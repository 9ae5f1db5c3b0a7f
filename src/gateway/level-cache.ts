import type { BookCopy } from '../model/book-copy.js';
import type { TrackedSymbol } from '../model/symbol.js';

/** What tells two versions of the content apart: the levels, and how far they are proven. */
type BookVersion = Readonly<Pick<BookCopy, 'epoch' | 'seq' | 'provenBids' | 'provenAsks'>>;

interface CachedLevels extends BookVersion {
  readonly symbol: TrackedSymbol;
  /** ASCII: a byte a character. */
  readonly text: string;
}

/**
 * Encoded levels of the newest version asked for, per symbol, depth and number style. Bounded in bytes; the entry unused
 * for longest goes first.
 */
export class LevelCache {
  readonly #capacityBytes: number;
  readonly #entries = new Map<string, CachedLevels>();
  #bytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The text of exactly this version, or `undefined`. A symbol tracked anew is another symbol. */
  get(key: string, symbol: TrackedSymbol, version: BookVersion): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.symbol !== symbol || !isSame(entry, version)) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.text;
  }

  put(key: string, symbol: TrackedSymbol, { epoch, seq, provenBids, provenAsks }: BookVersion, text: string): void {
    this.#remove(key);
    if (text.length > this.#capacityBytes) return;
    this.#entries.set(key, { symbol, epoch, seq, provenBids, provenAsks, text });
    this.#bytes += text.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#capacityBytes) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.text.length;
  }
}

function isSame(a: BookVersion, b: BookVersion): boolean {
  return a.epoch === b.epoch && a.seq === b.seq && a.provenBids === b.provenBids && a.provenAsks === b.provenAsks;
}
