import type { Slippage } from '../model/analytics.js';
import { formatDecimal } from '../model/decimal.js';
import { midText } from './book-analytics.js';
import type { Levels } from './book-figures.js';
import { type Amount, doubledReferenceTicks, fill, type Reference, type TakerSide } from './fill.js';

export interface SlippageRequest {
  readonly side: TakerSide;
  readonly kind: 'size' | 'notional';
  readonly amount: Amount;
  /** The amount as the client wrote it. */
  readonly text: string;
  readonly ref: Reference;
}

/** What an order would get. `levels` must reach as far as the order, or to the end of the book. */
export function slippage(levels: Levels, { side, kind, amount, text, ref }: SlippageRequest): Slippage {
  const filled = fill(levels, side, { kind, amount }, ref);
  const doubled = doubledReferenceTicks(levels, side, ref);
  return {
    side,
    size: kind === 'size' ? text : null,
    notional: kind === 'notional' ? text : null,
    ref,
    reference_price: doubled === null ? null : midText(doubled, levels.priceScale),
    base: filled?.base ?? null,
    quote: filled?.quote ?? null,
    average_price: filled?.averagePrice ?? null,
    worst_price: filled === null ? null : formatDecimal(filled.worstTick, levels.priceScale),
    levels: filled?.levels ?? null,
    slippage: filled?.slippage ?? null,
    slippage_bps: filled?.slippageBps ?? null,
  };
}
