import { parseArgs } from 'node:util';
import type { CommandName } from './schema.js';
import { CONFIG_FLAG, keysOf } from './names.js';
import type { KeyEntry } from './names.js';
import { fromText, LayerBuilder } from './layer.js';
import type { Layer } from './layer.js';

/** The command line of one command. */
export interface Flags extends Layer {
  /** The argument of `--config`. */
  readonly configFile: string | undefined;
}

/** Reads the arguments behind the command's name: `--key value`, `--key=value`, and `--key` alone for a switch. */
export function readFlags(command: CommandName, argv: readonly string[]): Flags {
  const layer = new LayerBuilder();
  const entries = new Map(keysOf(command).map((entry) => [`--${entry.flag}`, entry]));
  const known = [...entries.keys(), `--${CONFIG_FLAG}`];
  let configFile: string | undefined;
  let behindUnknown = false;
  let secretFlag: string | undefined;
  for (const token of tokenize([...entries.values()], argv)) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      // What stands behind an unknown flag is most likely its value: one sentence for both is enough.
      if (behindUnknown) continue;
      // What stands behind a secret may be more of it.
      if (secretFlag !== undefined) layer.problem(secretFlag, 'unexpected argument behind its value');
      else layer.problem(token.value, 'unexpected argument');
      continue;
    }
    const { rawName } = token;
    const entry = entries.get(rawName);
    behindUnknown = !known.includes(rawName);
    secretFlag = entry?.schema.secret === true ? rawName : undefined;
    if (behindUnknown) layer.unknown(rawName, 'flag', rawName, known);
    else if (entry !== undefined && isSwitch(entry) && token.value === undefined) layer.values[entry.key] = true;
    else if (token.value === undefined || token.value === '') layer.problem(rawName, 'needs a value');
    else if (entry !== undefined) layer.set(entry, fromText(entry, token.value), rawName);
    else configFile = token.value;
  }
  return { values: layer.values, problems: layer.problems, configFile };
}

function tokenize(entries: readonly KeyEntry[], argv: readonly string[]) {
  const switches = entries.filter(isSwitch).map((entry) => [entry.flag, { type: 'boolean' }] as const);
  const valued = entries.filter((entry) => !isSwitch(entry)).map((entry) => entry.flag);
  const options = Object.fromEntries([...switches, ...[...valued, CONFIG_FLAG].map((name) => [name, { type: 'string' }] as const)]);
  // Not strict: parseArgs would stop at the first mistake, and all are to be listed at once.
  const parsed = parseArgs({
    args: markMissingValues(argv, [...valued, CONFIG_FLAG]),
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  return parsed.tokens;
}

/** In `--port --host x` the value was forgotten; parseArgs would take `--host` for it, unless an empty one is there already. */
function markMissingValues(argv: readonly string[], valued: readonly string[]): string[] {
  return argv.map((argument, index) => {
    const next = argv[index + 1];
    return next?.startsWith('--') === true && valued.includes(argument.slice(2)) && argument.startsWith('--') ? `${argument}=` : argument;
  });
}

function isSwitch(entry: KeyEntry): boolean {
  return (entry.schema as { readonly type?: unknown }).type === 'boolean';
}
