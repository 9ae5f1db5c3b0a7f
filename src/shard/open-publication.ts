import { Channel, type PublicationSpec } from '../model/publication.js';
import { AnalyticsPublication } from './analytics-publication.js';
import { BookPublication } from './book-publication.js';
import { CandlePublication } from './candle-publication.js';
import type { Publication, PublicationParts } from './publication.js';
import { TradePublication } from './trade-publication.js';
import { TickerPublication } from './ticker-publication.js';

/** The publication of a channel. */
export function openPublication(id: number, spec: PublicationSpec, parts: PublicationParts): Publication {
  switch (spec.channel) {
    case Channel.TRADE:
      return new TradePublication(id, spec, parts);
    case Channel.TICKER:
      return new TickerPublication(id, spec, parts);
    case Channel.CANDLE:
      return new CandlePublication(id, spec, parts);
    case Channel.ANALYTICS:
      return new AnalyticsPublication(id, spec, parts);
    default:
      return new BookPublication(id, spec, parts);
  }
}
