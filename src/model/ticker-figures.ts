/**
 * What one message of the exchange says of the last 24 hours of a pair, in one vocabulary for all its sources. Canonical decimal text
 * (`84270.5`, no zeros that mean nothing); `null` = it does not say.
 */
export interface TickerFigures {
  /** Unix ms by the exchange's clock: when the figures were made. */
  readonly timeMs: number | null;
  /** Quote units. */
  readonly lastPrice: string | null;
  /** Base units. */
  readonly lastQuantity: string | null;
  readonly openPrice: string | null;
  readonly highPrice: string | null;
  readonly lowPrice: string | null;
  /** Base units, whatever the source calls it. */
  readonly volume: string | null;
  /** Quote units, whatever the source calls it. */
  readonly quoteVolume: string | null;
  /** Quote units, signed. */
  readonly priceChange: string | null;
  /** A signed fraction: `0.0067` is 0.67 %. */
  readonly changeRate: string | null;
}

/** Takes the figures of one symbol out of a message about many. */
export type TakeFigures = (symbol: string, figures: TickerFigures) => void;

/** Longest text kept of a number. */
export const FIGURE_LENGTH_MAX = 47;

const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** The same number without zeros that mean nothing; `null` when it is no decimal text, or too long to be kept. A minus sign is taken only where `signed`. */
export function canonicalDecimal(text: string, signed = false): string | null {
  const negative = text.charCodeAt(0) === MINUS;
  let start = negative ? 1 : 0;
  let end = text.length;
  let dot = -1;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT && dot < 0 && i > start) dot = i;
    else if (code < ZERO || code > NINE) return null;
  }
  if (start === end) return null;
  if (dot >= 0) {
    while (text.charCodeAt(end - 1) === ZERO) end--;
    if (end - 1 === dot) end = dot;
  }
  const wholeEnd = dot >= 0 && dot < end ? dot : end;
  while (start < wholeEnd - 1 && text.charCodeAt(start) === ZERO) start++;
  const magnitude = start === 0 && end === text.length ? text : text.slice(start, end);
  if (!negative || magnitude === '0') return magnitude.length <= FIGURE_LENGTH_MAX ? magnitude : null;
  return signed && magnitude.length < FIGURE_LENGTH_MAX ? `-${magnitude}` : null;
}
