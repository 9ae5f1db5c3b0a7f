import type { CommandName } from './schema.js';
import { CONFIG_ENV, ENV_PREFIX, keysOf, knownVariables } from './names.js';
import { fromText, LayerBuilder } from './layer.js';
import type { Layer } from './layer.js';

/** Reads the `MDP_…` variables of a command; an empty variable counts as not set, those of other commands are let alone. */
export function readEnvironment(command: CommandName, env: Readonly<Record<string, string | undefined>>): Layer {
  const layer = new LayerBuilder();
  const entries = new Map(keysOf(command).map((entry) => [entry.env, entry]));
  const known = knownVariables();
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(ENV_PREFIX) || text === undefined || text === '') continue;
    const entry = entries.get(name);
    if (entry !== undefined) layer.set(entry, fromText(entry, text), name);
    else if (!known.includes(name)) layer.unknown(name, 'variable', name, [...entries.keys(), CONFIG_ENV]);
  }
  return layer;
}
