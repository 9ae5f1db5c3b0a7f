import type { Logger } from 'pino';
import type { MarketData } from '../model/market-data.js';
import type { PublicationHub } from '../publish/publication-hub.js';
import { systemClock } from '../support/clock.js';
import { type Access, openAccess } from './access/resolve.js';
import { BookAnswers } from './book-answers.js';
import { defaultGatewayLimits, type GatewayLimits } from './limits.js';
import { SymbolDirectory } from './symbol-directory.js';

export interface GatewayOptions extends Partial<GatewayLimits> {
  readonly market: MarketData;
  readonly hub: PublicationHub;
  readonly logger: Logger;
  /** Default: everybody may do everything, in clear. */
  readonly access?: Access;
  /** Unix ms; default the system's monotonic clock. */
  readonly now?: () => number;
}

/** What everything that answers clients works with. */
export interface GatewayContext extends Access {
  readonly market: MarketData;
  readonly hub: PublicationHub;
  readonly directory: SymbolDirectory;
  readonly answers: BookAnswers;
  readonly limits: GatewayLimits;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
}

export function createContext({ market, hub, logger, now = systemClock, access = openAccess(), ...given }: GatewayOptions): GatewayContext {
  const limits: GatewayLimits = { ...defaultGatewayLimits, ...given };
  return {
    ...access,
    market,
    hub,
    logger,
    limits,
    now,
    directory: new SymbolDirectory(market, limits.symbolLength, now),
    answers: new BookAnswers(market, limits.levelCacheBytes, now),
  };
}
