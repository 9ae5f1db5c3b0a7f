import { readFileSync } from 'node:fs';
import { commandNames } from './schema.js';
import type { CommandName } from './schema.js';
import { keysOf } from './names.js';
import { LayerBuilder } from './layer.js';
import type { Layer } from './layer.js';

/**
 * Reads a configuration file: JSON, `{"start": {…}, "sim": {…}, "demo": {…}}`. The values are those of one command's section,
 * the problems those of all sections. `label` names the file in problems.
 */
export function readConfigFile(command: CommandName, path: string, label: string): Layer {
  const layer = new LayerBuilder();
  const content = parseFile(path, label, layer);
  let values: Readonly<Record<string, unknown>> = {};
  for (const [name, section] of Object.entries(content ?? {})) {
    const known = commandNames.find((commandName) => commandName === name);
    if (known === undefined) {
      layer.unknown(`${label}: ${name}`, 'section', name, commandNames);
      continue;
    }
    const read = readSection(known, section, label);
    layer.problems.push(...read.problems);
    if (known === command) values = read.values;
  }
  return { values, problems: layer.problems };
}

function readSection(command: CommandName, section: unknown, label: string): Layer {
  const layer = new LayerBuilder();
  if (!isRecord(section)) {
    layer.problem(`${label}: ${command}`, 'is not an object');
    return layer;
  }
  const entries = new Map(keysOf(command).map((entry) => [entry.key, entry]));
  for (const [key, value] of Object.entries(section)) {
    const origin = `${label}: ${command}.${key}`;
    const entry = entries.get(key);
    if (entry === undefined) layer.unknown(origin, 'key', key, [...entries.keys()]);
    else layer.set(entry, value, origin);
  }
  return layer;
}

function parseFile(path: string, label: string, layer: LayerBuilder): Readonly<Record<string, unknown>> | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isRecord(content)) return content;
    layer.problem(label, 'is not a JSON object');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    layer.problem(label, error instanceof SyntaxError ? `is not JSON: ${reason}` : `cannot be read: ${reason}`);
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
