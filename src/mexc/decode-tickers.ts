import { canonicalDecimal, type TakeFigures } from '../model/ticker-figures.js';
import { CodedError, ErrorCode } from '../support/errors.js';

const utf8 = new TextDecoder();
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;

/**
 * The entries of a `ticker/24hr` answer about all symbols, one by one, so that a reader with other work to do can take them in portions: the
 * answer is close to a megabyte. Each is parsed only when its turn comes.
 */
export class TickerEntries {
  readonly #body: Uint8Array;
  #position = 0;

  /** `body` is not shared memory, which cannot be decoded as text. Throws CodedError EXCHANGE_ANSWER_MALFORMED when it is no list. */
  constructor(body: Uint8Array) {
    if (body[0] !== OPEN_BRACKET) throw malformed('not a list');
    this.#body = body;
  }

  /**
   * Hands on up to `count` entries that are wanted, passing over others; false when there are no more. Throws CodedError
   * EXCHANGE_ANSWER_MALFORMED; what was handed on before stands.
   */
  read(count: number, wanted: (symbol: string) => boolean, take: TakeFigures): boolean {
    for (let i = 0; i < count; i++) {
      const start = this.#body.indexOf(OPEN_BRACE, this.#position);
      if (start < 0) return false;
      const end = this.#endOf(start);
      this.#position = end;
      const entry = parse(this.#body, start, end);
      const symbol = entry['symbol'];
      if (typeof symbol === 'string' && wanted(symbol)) take(symbol, figuresOf(entry));
    }
    return true;
  }

  /** Behind the brace that closes the entry at `start`. */
  #endOf(start: number): number {
    const body = this.#body;
    let inText = false;
    let open = 0;
    for (let i = start; i < body.length; i++) {
      const byte = body[i]!;
      if (byte === QUOTE) inText = !inText;
      else if (byte === BACKSLASH) i++;
      else if (byte === OPEN_BRACE && !inText) open++;
      else if (byte === CLOSE_BRACE && !inText && --open === 0) return i + 1;
    }
    throw malformed('an entry has no end');
  }
}

/**
 * `priceChangePercent` is a fraction, `volume` is in base units. `openTime` lies seconds before `closeTime`, so the window is not read from
 * it; `count` is always null.
 */
function figuresOf(entry: Readonly<Record<string, unknown>>) {
  const { closeTime } = entry;
  return {
    timeMs: typeof closeTime === 'number' && Number.isSafeInteger(closeTime) && closeTime > 0 ? closeTime : null,
    lastPrice: figure(entry['lastPrice']),
    lastQuantity: figure(entry['lastQty']),
    openPrice: figure(entry['openPrice']),
    highPrice: figure(entry['highPrice']),
    lowPrice: figure(entry['lowPrice']),
    volume: figure(entry['volume']),
    quoteVolume: figure(entry['quoteVolume']),
    priceChange: figure(entry['priceChange'], true),
    changeRate: figure(entry['priceChangePercent'], true),
  };
}

/** Text, an empty text or null; a number would be as good. */
function figure(value: unknown, signed = false): string | null {
  if (typeof value === 'string') return value === '' ? null : canonicalDecimal(value, signed);
  return typeof value === 'number' ? canonicalDecimal(String(value), signed) : null;
}

function parse(body: Uint8Array, start: number, end: number): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(utf8.decode(body.subarray(start, end))) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw malformed('an entry is not JSON', error);
  }
}

function malformed(what: string, cause?: unknown): CodedError {
  return new CodedError(ErrorCode.EXCHANGE_ANSWER_MALFORMED, `ticker/24hr: ${what}`, {}, cause);
}
