import { commandNames } from './schema.js';
import type { CommandName } from './schema.js';
import { CONFIG_ENV, CONFIG_FLAG, keysOf } from './names.js';
import type { KeyEntry } from './names.js';
import { DEFAULTS_FILE, defaultsOf } from './loader.js';

/** What each command does, in one line. */
export const commandSummaries: Readonly<Record<CommandName, string>> = {
  start: 'Keep the books of the live exchange and serve them by REST, WebSocket and gRPC.',
  sim: 'Run the simulated exchange alone.',
  demo: 'Run the engine on the simulated exchange and watch its books.',
};

/** The text of `mdp`, `mdp --help`. */
export function usageText(): string {
  const commands = commandNames.map((name) => `  mdp ${name.padEnd(6)} ${commandSummaries[name]}`);
  return [
    'Usage: mdp COMMAND [--key value …]',
    '',
    ...commands,
    '',
    '  mdp COMMAND --help   every key of a command',
    '  mdp --version        the version',
    '',
  ].join('\n');
}

/** The text of `mdp COMMAND --help`, made from the schema. */
export function helpText(command: CommandName): string {
  const defaults: Readonly<Record<string, unknown>> = defaultsOf(command);
  const blocks = keysOf(command).map((entry) =>
    [
      `  --${entry.flag}`,
      `      ${entry.schema.description}`,
      `      ${acceptsText(entry)}; default ${plain(defaults[entry.key])}; ${entry.env}`,
    ].join('\n'),
  );
  return [
    `Usage: mdp ${command} [--key value …]`,
    '',
    commandSummaries[command],
    '',
    ...blocks,
    `  --${CONFIG_FLAG}`,
    `      Configuration file, JSON: {"${command}": {"key": value, …}}.`,
    `      a path; ${CONFIG_ENV}`,
    '',
    `Flags win over variables, variables over the file, the file over ${DEFAULTS_FILE}.`,
    '',
  ].join('\n');
}

/** The table of every key, for `config/README.md`. */
export function configReference(): string {
  const sections = commandNames.flatMap((command) => [`## \`${command}\``, '', commandSummaries[command], '', ...table(command), '']);
  return `${introduction}\n${sections.join('\n')}`;
}

const introduction = `# Configuration

This file is generated from the schema by \`npm run docs:config\`; do not edit it.

Each key can be set, later ones winning, in [\`default.json\`](default.json), in a file given by \`--${CONFIG_FLAG} FILE\` or \`${CONFIG_ENV}\`, as an
environment variable, and as a flag. A file has one section a command and needs only the keys it changes:

\`\`\`json
{ "start": { "symbols": "quote:USDT", "workers": 4 } }
\`\`\`

Names nobody reads and values that do not fit are refused, all listed at once, with exit code 2. An empty variable counts as not set.
A switch needs no value on the command line. Paths are relative to the working directory.
`;

function table(command: CommandName): readonly string[] {
  const defaults: Readonly<Record<string, unknown>> = defaultsOf(command);
  const rows = keysOf(command).map((entry) => [
    `\`${entry.key}\``,
    `\`--${entry.flag}\``,
    `\`${entry.env}\``,
    acceptsText(entry),
    `\`${plain(defaults[entry.key])}\``,
    entry.schema.description,
  ]);
  const head = ['key', 'flag', 'variable', 'takes', 'default', 'meaning'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
}

function acceptsText(entry: KeyEntry): string {
  return entry.schema.unit === undefined ? entry.schema.accepts : `${entry.schema.accepts} (${entry.schema.unit})`;
}

function plain(value: unknown): string {
  return value === null ? 'none' : JSON.stringify(value).replaceAll('"', '');
}
