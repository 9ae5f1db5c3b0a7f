import Type from 'typebox';
import type { Static, TObject } from 'typebox';
import { pushSchemes, restSchemes } from './exchange-address.js';
import * as key from './keys.js';

/** The commands of `mdp`; each has a section of the same name in a configuration file. */
export const commandNames = ['start', 'sim', 'demo'] as const;
export type CommandName = (typeof commandNames)[number];

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Ports: 0 asks the system for a free one, which is then printed. */
const PORT_MAX = 65_535;
const WORKERS_MAX = 256;
/** The exchange answers more than about 10 requests a second with 429; a simulated one may take more. */
const SNAPSHOT_RATE_MAX = 1_000;
/** At shorter intervals the checks would be most of what is asked of the exchange. */
const AUDIT_MS_MIN = 100;
/** At this length a worker has room for 141 tapes. */
const TAPE_TRADES_MAX = 100_000;
/** Far more than from one tick of the clock to the next: such a worker never sleeps. */
const SPIN_US_MAX = 100_000;
/** The shortest push window is 10 ms. */
const RATE_MAX = 100;

/** At the largest snapshot rate no limit is met. */
const REQUEST_FACTOR_MAX = 1000;

/** Each costs the process a file and some kilobytes. */
const CONNECTIONS_MAX = 1_000_000;
const REQUESTS_PER_SECOND_MAX = 1_000_000;

const workers = key.wholeNumberOrAuto(1, WORKERS_MAX, {
  description: 'Worker threads that keep the books; auto is the number of cores less one, at least 1.',
});
const host = key.hostName({
  description: 'Name or address to listen on; one that other machines reach (0.0.0.0) needs --insecure-public.',
});
const insecurePublic = key.flag({ description: 'Listen beyond this machine although nobody has to show a key.' });
const port = key.wholeNumber(0, PORT_MAX, { description: 'Port to listen on; 0 takes any free port, which is printed.' });
const grpcPort = key.wholeNumberOrOff(0, PORT_MAX, {
  description: 'Port of the gRPC interface; 0 takes any free port, which is printed.',
});
const interval = key.oneOf(['10ms', '100ms'], { description: 'How often the exchange pushes changes of a book.' });
const snapshotRate = key.positiveNumber(SNAPSHOT_RATE_MAX, {
  description: 'Book snapshots asked of the exchange, for all symbols together.',
  unit: 'requests a second',
});
const staleAfterMs = key.wholeNumber(100, 86_400_000, {
  description: 'A book silent for longer, and for 20 times its usual pause, is marked stale; 10 times this while its pause is unknown.',
  unit: 'ms',
});
const rotateAfterMs = key.wholeNumber(1000, 86_400_000, {
  description:
    'Age at which a connection to the exchange is replaced, without a gap, or up to 3/47 of it earlier: 22 to 23.5 h, as the exchange cuts it at 24 h.',
  unit: 'ms',
});
const lines = key.wholeNumber(1, 2, {
  description: '2: every channel of the exchange on two connections; what comes first counts, and what one loses comes on the other.',
});
const tape = key.wholeNumber(1, TAPE_TRADES_MAX, {
  description: 'Trades kept of each pair. 1 GiB of addresses for each worker bounds the pairs it can hold: 8192 up to 1700, 140 at 100000.',
});
const audit = key.wholeNumberOrOff(AUDIT_MS_MIN, 86_400_000, {
  description: 'From the check of one book against the exchange to the check of the next, in ms; only requests to spare are used for it.',
});
const logLevel = key.oneOf(LOG_LEVELS, { description: 'Least severity that is logged.' });
const simulated = key.simulatedSymbols({ description: 'Pairs of the simulated market: how many, or which.' });
const rate = key.positiveNumber(RATE_MAX, { description: 'Book pushes of each simulated pair.', unit: 'pushes a second' });
const seed = key.wholeNumber(0, 0xffff_ffff, { description: 'Start of all randomness: the same seed gives the same market.' });
const faults = key.optionalFile({ description: 'Fault script to play, a JSON file.' });

const start = Type.Object({
  symbols: key.symbolSelection({
    description: 'Pairs to keep books of: names, all, all with one quote asset, or those with the largest 24 h turnover.',
  }),
  workers,
  host: key.hostName({
    description: 'Name or address to listen on; one that other machines reach (0.0.0.0) needs API keys, or --insecure-public.',
  }),
  port,
  grpcPort,
  insecurePublic,
  apiKeys: key.apiKeys({
    description: 'Keys that clients have to show, by their hashes; admin ones may also change what is tracked and logged.',
  }),
  tlsCert: key.optionalFile({ description: 'Certificate chain (PEM) of REST, WebSocket and gRPC, together with tlsKey.' }),
  tlsKey: key.optionalFile({ description: 'Private key (PEM) of the certificate.' }),
  trustProxy: key.trustedProxies({ description: 'Proxies in front whose X-Forwarded-For tells the address of a client.' }),
  origins: key.origins({ description: 'Web pages that may open the WebSocket; programs send no origin and are not asked for one.' }),
  connections: key.wholeNumber(1, CONNECTIONS_MAX, { description: 'Connections at a time to each of the two ports.' }),
  connectionsPerAddress: key.limit(1, CONNECTIONS_MAX, {
    description: 'Connections of one address to each port; auto is 100, and off on loopback without trusted proxies.',
  }),
  requestsPerSecond: key.limit(1, REQUESTS_PER_SECOND_MAX, {
    description:
      'HTTP requests of one address in a second, and gRPC calls as many; auto is 100, and off on loopback without trusted proxies.',
  }),
  wsUrl: key.exchangeAddress(pushSchemes, { description: 'Where the exchange pushes.' }),
  restUrl: key.exchangeAddress(restSchemes, { description: 'Where the exchange answers requests.' }),
  interval,
  snapshotRate,
  staleAfterMs,
  rotateAfterMs,
  lines,
  tape,
  preallocate: key.flag({
    description:
      'Take the memory of trades, candles and books when a pair is tracked, not as they fill: 96 KiB a pair and 76 bytes a trade. A larger book takes more later.',
  }),
  audit,
  spinUs: key.wholeNumber(0, SPIN_US_MAX, {
    description:
      'How long a worker looks for the next push before it sleeps, and the main thread, up to 50, for its answer: less latency, and a core for each worker while pushes come.',
    unit: 'microseconds',
  }),
  logLevel,
});

const sim = Type.Object({
  symbols: simulated,
  host,
  insecurePublic,
  port,
  rate,
  seed,
  replay: key.optionalFile({ description: 'Recorded session to play instead of a made-up market.' }),
  speed: key.positiveNumberOr('max', 10_000, { description: 'How fast a recorded session is played.', unit: 'times real time' }),
  waitForClient: key.flag({ description: 'Begin to play a session only when all its symbols are subscribed.' }),
  waitForTrades: key.flag({
    description: 'Begin to play a session only when the trades of its symbols are subscribed too, and were asked for.',
  }),
  faults,
  requestFactor: key.positiveNumber(REQUEST_FACTOR_MAX, { description: 'Times as many REST requests as the exchange grants.' }),
  logLevel,
});

const demo = Type.Object({
  symbols: simulated,
  rate,
  seed,
  faults,
  workers,
  host,
  insecurePublic,
  port,
  grpcPort,
  interval,
  snapshotRate,
  logLevel,
});

/** Every key of every command: what validates, types and documents the configuration. */
export const commandSchemas = { start, sim, demo } as const satisfies Record<CommandName, TObject>;

/** The configuration of a command as written, before `workers` and `symbols` are resolved. */
export type RawConfig<Command extends CommandName> = Static<(typeof commandSchemas)[Command]>;
