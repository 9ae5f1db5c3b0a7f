import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CodedError, ErrorCode } from '../errors.js';
import type { CommandName, RawConfig } from './schema.js';
import { CONFIG_ENV, keysOf } from './names.js';
import { readEnvironment } from './environment.js';
import { readConfigFile } from './file.js';
import { readFlags } from './flags.js';
import { packageRoot } from './package.js';
import { parseApiKeys, parseOrigins, parseTrustedProxies } from './access.js';
import type { ApiKey, Origins } from './access.js';
import { parseSimulatedSymbols, parseSymbols } from './symbols.js';
import type { SimulatedSymbols, SymbolSelection } from './symbols.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Keys of `start` that are written as text and mean something with parts. */
interface ParsedKeys {
  symbols: SymbolSelection;
  workers: number;
  apiKeys: readonly ApiKey[];
  origins: Origins;
  trustProxy: readonly string[];
}

export type StartConfig = Readonly<Omit<RawConfig<'start'>, keyof ParsedKeys> & ParsedKeys>;
export type SimConfig = Readonly<Omit<RawConfig<'sim'>, 'symbols'> & { symbols: SimulatedSymbols }>;
export type DemoConfig = Readonly<Omit<RawConfig<'demo'>, 'symbols' | 'workers'> & { symbols: SimulatedSymbols; workers: number }>;

/** Where the defaults are written down; every other layer may leave keys out, this one holds them all. */
export const DEFAULTS_FILE = 'config/default.json';

/**
 * The frozen configuration of `mdp start`: defaults, then the file, then the environment, then the flags.
 * Throws CodedError CONFIG_INVALID that lists every problem of every layer.
 */
export function loadStartConfig(argv: readonly string[], env: Environment = process.env): StartConfig {
  const raw = loadRaw('start', argv, env);
  return Object.freeze({
    ...raw,
    symbols: parseSymbols(raw.symbols),
    workers: resolveWorkers(raw.workers),
    apiKeys: raw.apiKeys === null ? [] : parseApiKeys(raw.apiKeys),
    origins: parseOrigins(raw.origins),
    trustProxy: parseTrustedProxies(raw.trustProxy),
  });
}

/** The frozen configuration of `mdp sim`; see `loadStartConfig`. */
export function loadSimConfig(argv: readonly string[], env: Environment = process.env): SimConfig {
  const raw = loadRaw('sim', argv, env);
  return Object.freeze({ ...raw, symbols: parseSimulatedSymbols(raw.symbols) });
}

/** The frozen configuration of `mdp demo`; see `loadStartConfig`. */
export function loadDemoConfig(argv: readonly string[], env: Environment = process.env): DemoConfig {
  const raw = loadRaw('demo', argv, env);
  return Object.freeze({ ...raw, symbols: parseSimulatedSymbols(raw.symbols), workers: resolveWorkers(raw.workers) });
}

/** The value each key of a command has when nothing sets it. */
export function defaultsOf<Command extends CommandName>(command: Command): RawConfig<Command> {
  const defaults = readConfigFile(command, join(packageRoot(), DEFAULTS_FILE), DEFAULTS_FILE);
  const missing = keysOf(command).filter((entry) => !(entry.key in defaults.values));
  const problems = [...defaults.problems, ...missing.map((entry) => `${DEFAULTS_FILE}: ${command}.${entry.key}: is missing`)];
  if (problems.length > 0) throw invalid(command, problems);
  return defaults.values as unknown as RawConfig<Command>;
}

function loadRaw<Command extends CommandName>(command: Command, argv: readonly string[], env: Environment): RawConfig<Command> {
  const defaults = defaultsOf(command);
  const flags = readFlags(command, argv);
  const environment = readEnvironment(command, env);
  const path = flags.configFile ?? (env[CONFIG_ENV] === '' ? undefined : env[CONFIG_ENV]);
  const file = path === undefined ? { values: {}, problems: [] } : readConfigFile(command, path, path);
  const problems = [...file.problems, ...environment.problems, ...flags.problems];
  if (problems.length > 0) throw invalid(command, problems);
  // Each layer was checked key by key, and the defaults are complete: the merged whole fits the schema.
  return { ...defaults, ...file.values, ...environment.values, ...flags.values };
}

/** One thread is left to the sockets; on a single core the two share it. */
function resolveWorkers(workers: number | 'auto'): number {
  return workers === 'auto' ? Math.max(1, availableParallelism() - 1) : workers;
}

function invalid(command: CommandName, problems: readonly string[]): CodedError {
  const count = problems.length === 1 ? 'a configuration problem' : `${problems.length} configuration problems`;
  const message = [`${count}:`, ...problems.map((problem) => `  ${problem}`), `"mdp ${command} --help" explains every key.`].join('\n');
  return new CodedError(ErrorCode.CONFIG_INVALID, message, { problems });
}
