import type { Logger } from 'pino';
import type { MarketData } from '../model/market-data.js';
import type { PublicationHub } from '../publish/publication-hub.js';
import type { BookAnswers } from './book-answers.js';
import type { GatewayLimits } from './limits.js';
import type { SymbolDirectory } from './symbol-directory.js';

/** What the resource plugins work with. */
export interface GatewayContext {
  readonly market: MarketData;
  readonly hub: PublicationHub;
  readonly directory: SymbolDirectory;
  readonly answers: BookAnswers;
  readonly limits: GatewayLimits;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
}
