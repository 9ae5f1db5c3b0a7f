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

/** The same number without zeros that mean nothing; `null` when it is no decimal text, or too long to be kept. A minus sign is taken only where `signed`. */
export function canonicalDecimal(text: string, signed = false): string | null {
  const match = /^(-?)0*(\d+?)(?:\.(\d*?)0*)?$/.exec(text);
  if (match === null || text.length > 2 * FIGURE_LENGTH_MAX) return null;
  const [, minus, whole, fraction = ''] = match;
  const magnitude = fraction === '' ? whole! : `${whole}.${fraction}`;
  if (minus !== '' && magnitude !== '0' && !signed) return null;
  const canonical = minus !== '' && magnitude !== '0' ? `-${magnitude}` : magnitude;
  return canonical.length <= FIGURE_LENGTH_MAX ? canonical : null;
}
