import { BookDigest, TOP_LEVELS } from '../../src/simulator/book-digest.js';
import type { DigestPage } from '../../src/simulator/digest-log.js';
import { ASK, BID, type Side } from '../../src/simulator/tick-book.js';
import type { TextLevel } from '../support/model-book.js';
import { askJson } from './ask.js';

/** Versions remembered of each symbol. */
const VERSIONS = 256;
const WIDTH = 3;

export interface Listed {
  readonly symbol: string;
  readonly rank: number;
  readonly priceScale: number;
  readonly quantityScale: number;
}

interface Claim {
  readonly listed: Listed;
  readonly version: number;
  readonly whole: boolean;
  readonly digest: number;
  readonly what: string;
  /** Times the truth had been asked for before. */
  readonly asked: number;
}

/** Every book of the exchange at every version, as digests, and what the engine said of them. Claims are judged as soon as the truth is known. */
export class Truth {
  readonly listed: ReadonlyMap<string, Listed>;
  /** Claims compared with the truth, by what they are. */
  readonly compared = new Map<string, number>();
  /** Claims about versions that are forgotten, of clients that are far behind. */
  tooOld = 0;
  /** Digests of the exchange that were lost on the way here. */
  missed = 0;
  readonly #wrong: (text: string) => void;
  readonly #restUrl: string;
  readonly #versions: Float64Array;
  readonly #counts: Uint32Array;
  #claims: Claim[] = [];
  #next = 0;
  #asked = 0;
  #last: Promise<void> = Promise.resolve();

  private constructor(restUrl: string, listed: readonly Listed[], wrong: (text: string) => void) {
    this.#restUrl = restUrl;
    this.#wrong = wrong;
    this.listed = new Map(listed.map((each) => [each.symbol, each]));
    this.#versions = new Float64Array(listed.length * VERSIONS * WIDTH);
    this.#counts = new Uint32Array(listed.length);
  }

  /** Learns what is listed and every version from now on. */
  static async of(restUrl: string, wrong: (text: string) => void): Promise<Truth> {
    const info = await askJson<{ symbols: readonly { symbol: string; baseAssetPrecision: number; quotePrecision: number }[] }>(
      `${restUrl}/api/v3/exchangeInfo`,
    );
    const listed = info.symbols.map(({ symbol, baseAssetPrecision, quotePrecision }, rank) => ({
      symbol,
      rank,
      priceScale: quotePrecision,
      quantityScale: baseAssetPrecision,
    }));
    const truth = new Truth(restUrl, listed, wrong);
    await truth.learn();
    return truth;
  }

  /** Something of the engine was at this version with this digest. */
  claim(listed: Listed, version: number, whole: boolean, digest: number, what: string): void {
    this.#claims.push({ listed, version, whole, digest, what, asked: this.#asked });
  }

  get waiting(): number {
    return this.#claims.length;
  }

  /** Asks the exchange for what is new and judges what can be judged; one call after the other. */
  learn(): Promise<void> {
    const learned = this.#last.then(() => this.#learn());
    this.#last = learned.catch(() => undefined);
    return learned;
  }

  async #learn(): Promise<void> {
    const asked = ++this.#asked;
    const { next, missed, rows } = await askJson<DigestPage>(`${this.#restUrl}/sim/digests?after=${this.#next}`);
    this.#next = next;
    this.missed += missed;
    for (let i = 0; i < rows.length; i += 4) {
      const rank = rows[i]!;
      const at = (rank * VERSIONS + (this.#counts[rank]!++ % VERSIONS)) * WIDTH;
      for (let column = 0; column < WIDTH; column++) this.#versions[at + column] = rows[i + 1 + column]!;
    }
    this.#claims = this.#claims.filter((claim) => !this.#judge(claim, claim.asked < asked));
  }

  /** False while the truth is not known yet; it is when it was asked for after the claim was made (`isDue`). */
  #judge(claim: Claim, isDue: boolean): boolean {
    const { listed, version, whole, digest, what } = claim;
    const count = this.#counts[listed.rank]!;
    const kept = Math.min(count, VERSIONS);
    const place = (age: number): number => (listed.rank * VERSIONS + ((count - kept + age) % VERSIONS)) * WIDTH;
    if (version > this.#versions[place(kept - 1)]! && !isDue) return false;
    if (version < this.#versions[place(0)]! && count > VERSIONS) {
      this.tooOld++;
      return true;
    }
    let [low, high] = [0, kept];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#versions[place(middle)]! < version) low = middle + 1;
      else high = middle;
    }
    const at = place(low);
    this.compared.set(what, (this.compared.get(what) ?? 0) + 1);
    if (low === kept || this.#versions[at] !== version) this.#wrong(`${what} of ${listed.symbol}: there never was a version ${version}`);
    else if (this.#versions[at + (whole ? 1 : 2)] !== digest)
      this.#wrong(`${what} of ${listed.symbol}: not the book of version ${version}`);
    return true;
  }
}

/** Levels as a client keeps them, with their digest. */
export class KeptBook {
  readonly #priceUnit: number;
  readonly #quantityUnit: number;
  readonly #sides: readonly [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
  readonly #digest = new BookDigest();

  constructor({ priceScale, quantityScale }: Listed) {
    this.#priceUnit = 10 ** priceScale;
    this.#quantityUnit = 10 ** quantityScale;
  }

  get digest(): number {
    return this.#digest.value;
  }

  /** Levels of the fuller side. */
  get size(): number {
    return Math.max(this.#sides[BID].size, this.#sides[ASK].size);
  }

  clear(): void {
    for (const side of this.#sides) side.clear();
    this.#digest.clear();
  }

  /** Quantities are absolute, 0 removes a level. */
  set(bids: readonly TextLevel[], asks: readonly TextLevel[]): void {
    this.#setSide(BID, bids);
    this.#setSide(ASK, asks);
  }

  #setSide(side: Side, levels: readonly TextLevel[]): void {
    const kept = this.#sides[side];
    for (const [price, quantity] of levels) {
      const tick = Math.round(Number(price) * this.#priceUnit);
      const lots = Math.round(Number(quantity) * this.#quantityUnit);
      this.#digest.change(side, tick, kept.get(tick) ?? 0, lots);
      if (lots === 0) kept.delete(tick);
      else kept.set(tick, lots);
    }
  }
}

export { TOP_LEVELS };
