import { pino } from 'pino';
import { createEngine as startEngine, type Engine, type EngineOptions } from './engine.js';
import { loadStartConfig, parseSymbols, type SymbolSelection } from './support/config/index.js';

/** What a program that embeds the engine may say; everything else is as `mdp start` has it without flags, files and variables. */
export interface EmbedOptions extends Partial<Omit<EngineOptions, 'symbols'>> {
  /** As `mdp start --symbols` takes it (`BTCUSDT,ETHUSDT`, `all`, `quote:USDT`, `top:20`), a list of names, or what either means. */
  readonly symbols: string | readonly string[] | SymbolSelection;
}

/**
 * Starts an engine in this process: `await createEngine({ symbols: ['BTCUSDT'] })`. It listens on any free port of 127.0.0.1, without
 * gRPC, and logs nothing unless told otherwise. Throws CodedError (CONFIG_INVALID for a selection that cannot be read, EXCHANGE_…, SYMBOL_NOT_LISTED,
 * SYMBOL_CAPACITY_REACHED, WORKER_START_TIMEOUT, PUBLIC_WITHOUT_KEYS, TLS_UNUSABLE) or the listener's error, and leaves nothing behind when it does.
 */
export async function createEngine({ symbols, ...options }: EmbedOptions): Promise<Engine> {
  const { logLevel: _, ...defaults } = loadStartConfig([], {});
  const logger = pino({ level: 'silent' });
  return startEngine({ ...defaults, port: 0, grpcPort: 'off', logger, ...options, symbols: selectionOf(symbols) });
}

function selectionOf(symbols: EmbedOptions['symbols']): SymbolSelection {
  if (typeof symbols === 'string') return parseSymbols(symbols);
  return 'kind' in symbols ? symbols : { kind: 'list', symbols };
}
