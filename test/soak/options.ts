import { parseArgs } from 'node:util';

export interface SoakOptions {
  /** From the moment all books are live and all clients connected until the last fault. */
  readonly minutes: number;
  readonly symbols: number;
  /** Bursts of changes per second and symbol: at most as many pushes. */
  readonly rate: number;
  readonly clients: number;
  /** Of the clients, those that do not read, or hardly. */
  readonly slow: number;
  readonly workers: number;
  /** Age at which a connection is replaced, in seconds. */
  readonly rotate: number;
  /** From one killed worker to the next, in seconds. */
  readonly kill: number;
  /** Faults a second. */
  readonly faults: number;
  /** REST requests a second. */
  readonly requests: number;
  /** Snapshots a second; the exchange grants as many times its usual requests as this is times 8. */
  readonly snapshotRate: number;
  /** Trades kept of each symbol. */
  readonly tape: number;
  /** Percent by which resident memory may grow after the warm-up. */
  readonly memory: number;
  readonly seed: number;
}

const defaults: SoakOptions = {
  minutes: 60,
  symbols: 2000,
  rate: 2,
  clients: 300,
  slow: 30,
  workers: 2,
  rotate: 120,
  kill: 300,
  faults: 2,
  requests: 30,
  snapshotRate: 96,
  tape: 1000,
  memory: 3,
  seed: 1,
};

const explained: Readonly<Record<keyof SoakOptions, string>> = {
  minutes: 'from all books live and all clients connected until the last fault',
  symbols: 'symbols of the simulated exchange, all of them tracked',
  rate: 'bursts of changes a second and symbol',
  clients: 'WebSocket clients',
  slow: 'of them, those that do not read, or hardly',
  workers: 'worker threads',
  rotate: 'age at which a connection to the exchange is replaced, s',
  kill: 'from one killed worker to the next, s',
  faults: 'faults of the exchange a second',
  requests: 'REST requests a second',
  snapshotRate: 'snapshots a second; the simulated exchange grants as many more than its usual 8',
  tape: 'trades kept of each symbol',
  memory: 'percent by which resident memory may grow after the warm-up',
  seed: 'start of all randomness',
};

const flagOf = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export const help = [
  'usage: npm run soak -- [options]',
  '',
  ...Object.entries(defaults).map(
    ([key, value]) => `  --${`${flagOf(key)} N`.padEnd(18)}${explained[key as keyof SoakOptions]} (${value})`,
  ),
  '  --write           puts the report into bench/soak.md',
  '',
  'Runs `mdp sim` and `mdp start` as processes of their own. Exit code 1 when anything was wrong.',
  '',
].join('\n');

/** `undefined` when the help was asked for. Throws with what is wrong. */
export function readOptions(argv: readonly string[]): { readonly options: SoakOptions; readonly write: boolean } | undefined {
  const numbers = Object.fromEntries(Object.keys(defaults).map((key) => [flagOf(key), { type: 'string' as const }]));
  const { values } = parseArgs({
    args: [...argv],
    options: { ...numbers, write: { type: 'boolean' as const }, help: { type: 'boolean' as const } },
  });
  if (values['help'] === true) return undefined;
  const options: Record<string, number> = { ...defaults };
  for (const key of Object.keys(defaults)) {
    const text = (values as Readonly<Record<string, string | undefined>>)[flagOf(key)];
    if (text === undefined) continue;
    options[key] = Number(text);
    if (!(options[key] >= 0)) throw new Error(`--${flagOf(key)}: a number of at least 0, not "${text}"`);
  }
  return { options: options as unknown as SoakOptions, write: values['write'] === true };
}
