import { pino } from 'pino';
import { createEngine as startEngine, type Engine, type EngineOptions } from './engine.js';
import {
  type ApiKey,
  checkExchangeAddress,
  loadStartConfig,
  parseApiKeys,
  parseOrigins,
  parseSymbols,
  parseTrustedProxies,
  pushSchemes,
  restSchemes,
  type SymbolSelection,
} from './support/config/index.js';

/** What a program that embeds the engine may say; everything else is as `mdp start` has it without flags, files and variables. */
export interface EmbedOptions extends Partial<Omit<EngineOptions, 'symbols' | 'apiKeys' | 'origins' | 'trustProxy'>> {
  /** As `mdp start --symbols` takes it (`BTCUSDT,ETHUSDT`, `all`, `quote:USDT`, `top:20`), a list of names, or what either means. */
  readonly symbols: string | readonly string[] | SymbolSelection;
  /** As `--api-keys` takes them (`bot:read:SHA256,…`), or a list of the same in parts. */
  readonly apiKeys?: string | readonly ApiKey[];
  /** As `--origins` takes them, or a list. */
  readonly origins?: string | readonly string[];
  /** As `--trust-proxy` takes them, or a list. */
  readonly trustProxy?: string | readonly string[];
}

/**
 * Starts an engine in this process: `await createEngine({ symbols: ['BTCUSDT'] })`. It listens on any free port of 127.0.0.1, without
 * gRPC, and logs nothing unless told otherwise. Throws CodedError (CONFIG_INVALID for text that cannot be read, EXCHANGE_…, SYMBOL_NOT_LISTED,
 * SYMBOL_CAPACITY_REACHED, WORKER_START_TIMEOUT, PUBLIC_WITHOUT_KEYS, TLS_UNUSABLE) or the listener's error, and leaves nothing behind when it does.
 */
export async function createEngine({
  symbols,
  apiKeys = [],
  origins = 'any',
  trustProxy = 'off',
  ...options
}: EmbedOptions): Promise<Engine> {
  const { logLevel: _, ...defaults } = loadStartConfig([], {});
  checkExchangeAddress('wsUrl', options.wsUrl ?? defaults.wsUrl, pushSchemes);
  checkExchangeAddress('restUrl', options.restUrl ?? defaults.restUrl, restSchemes);
  const logger = pino({ level: 'silent' });
  return startEngine({
    ...{ ...defaults, port: 0, grpcPort: 'off', logger },
    ...options,
    symbols: selectionOf(symbols),
    apiKeys: typeof apiKeys === 'string' ? parseApiKeys(apiKeys) : apiKeys,
    origins: typeof origins === 'string' ? parseOrigins(origins) : origins,
    trustProxy: typeof trustProxy === 'string' ? parseTrustedProxies(trustProxy) : trustProxy,
  });
}

function selectionOf(symbols: EmbedOptions['symbols']): SymbolSelection {
  if (typeof symbols === 'string') return parseSymbols(symbols);
  return 'kind' in symbols ? symbols : { kind: 'list', symbols };
}
