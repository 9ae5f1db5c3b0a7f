import type { TSchema } from 'typebox';
import { commandNames, commandSchemas } from './schema.js';
import type { CommandName } from './schema.js';
import type { KeyDoc } from './keys.js';

/** One key under its three names. */
export interface KeyEntry {
  /** Its name in a configuration file, e.g. `wsUrl`. */
  readonly key: string;
  /** Its name on the command line, e.g. `ws-url`. */
  readonly flag: string;
  /** Its name in the environment, e.g. `MDP_WS_URL`. */
  readonly env: string;
  readonly schema: TSchema & KeyDoc;
}

/** Names the configuration file itself; not a key inside it. */
export const CONFIG_FLAG = 'config';
export const CONFIG_ENV = 'MDP_CONFIG';
export const ENV_PREFIX = 'MDP_';

/** `start` is the main command, so its variables carry no command name. */
const envPrefixes: Readonly<Record<CommandName, string>> = { start: ENV_PREFIX, sim: `${ENV_PREFIX}SIM_`, demo: `${ENV_PREFIX}DEMO_` };

/** The keys of a command, in the order they are documented. */
export function keysOf(command: CommandName): readonly KeyEntry[] {
  const properties: Readonly<Record<string, TSchema>> = commandSchemas[command].properties;
  return Object.entries(properties).map(([key, schema]) => {
    const flag = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const env = envPrefixes[command] + flag.replaceAll('-', '_').toUpperCase();
    return { key, flag, env, schema: schema as TSchema & KeyDoc };
  });
}

/** Every variable any command reads: one command must not refuse the variables of another. */
export function knownVariables(): readonly string[] {
  return [CONFIG_ENV, ...commandNames.flatMap((command) => keysOf(command).map((entry) => entry.env))];
}
