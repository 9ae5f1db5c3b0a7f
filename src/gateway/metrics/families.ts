import type { ExchangeClockStatus, ShardStatus } from '../../model/market-data.js';
import type { RingMeters, ShardMeters, TimesSeen } from '../../model/meters.js';
import { packageVersion } from '../../support/config/index.js';
import type { Reading } from './reading.js';

export type Labels = Readonly<Record<string, string>>;
export type Sample<Value> = readonly [labels: Labels, value: Value];

interface Family<Kind extends string, Value> {
  readonly kind: Kind;
  /** With its unit; a counter ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (reading: Reading) => Iterable<Sample<Value>>;
}

/** One metric: its name, and how to read it. Labels take few values: shards, states, directions, never symbols. */
export type MetricFamily = Family<'counter' | 'gauge', number> | Family<'histogram', TimesSeen>;

/** One number of the whole process. */
function one(kind: 'counter' | 'gauge', name: string, help: string, read: (reading: Reading) => number): MetricFamily {
  return { kind, name, help, labels: [], read: (reading) => [[{}, read(reading)]] };
}

/** One number for each value of a label. */
function by(
  kind: 'counter' | 'gauge',
  name: string,
  label: string,
  help: string,
  read: (reading: Reading) => Readonly<Record<string, number>>,
): MetricFamily {
  const samples = (reading: Reading): Sample<number>[] =>
    Object.entries(read(reading)).map(([value, count]) => [{ [label]: value }, count]);
  return { kind, name, help, labels: [label], read: samples };
}

/** One number for each shard, of what it counts or of its status. */
function counted(name: string, help: string, read: (meters: ShardMeters) => number, kind: 'counter' | 'gauge' = 'counter'): MetricFamily {
  const samples = ({ meters }: Reading): Sample<number>[] => meters.shards.map((each) => [{ shard: String(each.shard) }, read(each)]);
  return { kind, name, help, labels: ['shard'], read: samples };
}

function ofShard(kind: 'counter' | 'gauge', name: string, help: string, read: (shard: ShardStatus) => number): MetricFamily {
  const samples = ({ status }: Reading): Sample<number>[] => status.shards.map((each) => [{ shard: String(each.shard) }, read(each)]);
  return { kind, name, help, labels: ['shard'], read: samples };
}

/** One number for each of a shard's two rings: inbound carries pushes to the worker, outbound messages to the main thread. */
function ofRing(kind: 'counter' | 'gauge', name: string, help: string, read: (ring: RingMeters) => number): MetricFamily {
  const samples = ({ meters }: Reading): Sample<number>[] =>
    meters.shards.flatMap(({ shard, inbound, outbound }): Sample<number>[] => [
      [{ shard: String(shard), direction: 'inbound' }, read(inbound)],
      [{ shard: String(shard), direction: 'outbound' }, read(outbound)],
    ]);
  return { kind, name, help, labels: ['shard', 'direction'], read: samples };
}

/** One time of the exchange's clock, given in ms. */
function ofClock(name: string, help: string, read: (clock: ExchangeClockStatus) => number): MetricFamily {
  const samples = ({ status: { exchangeClock } }: Reading): Sample<number>[] =>
    exchangeClock === null ? [] : [[{}, read(exchangeClock) / 1000]];
  return { kind: 'gauge', name, help, labels: [], read: samples };
}

function countBy<Word extends string>(words: readonly Word[], found: Iterable<Word>): Record<Word, number> {
  const counts = Object.fromEntries(words.map((word) => [word, 0])) as Record<Word, number>;
  for (const word of found) counts[word]++;
  return counts;
}

function stages({ meters }: Reading): Readonly<Record<string, TimesSeen>> {
  return {
    exchange_to_received: meters.exchangeToReceived,
    received_to_applied: meters.receivedToApplied,
    received_to_published: meters.receivedToPublished,
  };
}

const connectionStates = ['connecting', 'open', 'waiting', 'closed'] as const;
const shardStates = ['starting', 'running', 'restarting', 'stopped'] as const;

const ofExchange: readonly MetricFamily[] = [
  one('counter', 'mdp_exchange_frames_total', 'Pushes of the exchange that were handed to a shard.', (r) => r.status.counters.frames),
  one('counter', 'mdp_exchange_received_bytes_total', 'Bytes of these pushes.', (r) => r.status.counters.bytes),
  one(
    'counter',
    'mdp_exchange_frames_unrouted_total',
    'Pushes of symbols that are not tracked, or of a connection that no longer carries them.',
    (r) => r.status.counters.framesUnknownSymbol,
  ),
  one('counter', 'mdp_exchange_frames_malformed_total', 'Binary frames that are no push.', (r) => r.meters.malformedFrames),
  counted('mdp_text_frames_total', 'Text frames of the JSON streams that were read.', (m) => m.textFrames),
  by('counter', 'mdp_text_frames_refused_total', 'code', 'Text frames that could not be read.', (r) => r.meters.textRefusals),
  by('gauge', 'mdp_exchange_connections', 'state', 'Connections to the exchange.', (r) =>
    countBy(
      connectionStates,
      r.status.connections.map(({ state }) => state),
    ),
  ),
  one('counter', 'mdp_exchange_connections_lost_total', 'Connections that were open and were lost.', (r) => r.meters.connectionsLost),
  one(
    'counter',
    'mdp_exchange_connections_replaced_total',
    'Connections replaced because of their age, before the exchange cuts them.',
    (r) => r.meters.connectionsReplaced,
  ),
  one('gauge', 'mdp_exchange_subscriptions', 'Subscriptions that stand at the exchange.', (r) =>
    r.status.connections.reduce((sum, { subscriptions }) => sum + subscriptions, 0),
  ),
  one('counter', 'mdp_exchange_requests_total', 'Requests to the exchange, out of the one budget.', (r) => r.meters.requests),
  one(
    'gauge',
    'mdp_exchange_requests_per_second',
    'The budget: requests to the exchange a second.',
    (r) => r.status.snapshots.ratePerSecond,
  ),
  one(
    'counter',
    'mdp_exchange_request_pauses_total',
    'Times the exchange made all requests pause (429, 403, 418).',
    (r) => r.meters.pauses,
  ),
  by(
    'gauge',
    'mdp_exchange_requests_waiting',
    'kind',
    'Requests that wait for their turn: candles (a client waits), history (publications lack candles), tickers, time, trades, audit.',
    (r) => r.meters.requestsWaiting,
  ),
  by(
    'counter',
    'mdp_exchange_requests_refused_total',
    'kind',
    'Requests that were not made because too many waited already.',
    (r) => r.meters.requestsRefused,
  ),
  one('gauge', 'mdp_exchange_requests_paused', '1 while all requests pause.', (r) => (r.status.snapshots.pausedUntil === null ? 0 : 1)),
  ofClock(
    'mdp_exchange_clock_offset_seconds',
    "How far the exchange's clock is ahead of ours; absent before it was measured.",
    ({ offsetMs }) => offsetMs,
  ),
  ofClock('mdp_exchange_clock_error_seconds', 'The offset is off by no more.', ({ errorMs }) => errorMs),
  ofClock('mdp_exchange_clock_measured_timestamp_seconds', 'When the offset was measured, Unix time.', ({ measuredAt }) => measuredAt),
  one('gauge', 'mdp_snapshots_waiting', 'Books that wait for the request of their snapshot.', (r) => r.status.snapshots.waiting),
  one('gauge', 'mdp_snapshots_in_flight', 'Snapshots asked for and not here yet.', (r) => r.status.snapshots.inFlight),
];

const ofLines: readonly MetricFamily[] = [
  by(
    'counter',
    'mdp_line_wins_total',
    'line',
    'With two lines: pushes of a book that came on this one first, or on this one alone. Those that waited for a snapshot are not counted.',
    ({ meters }) => ({
      0: meters.lineWins[0],
      1: meters.lineWins[1],
    }),
  ),
  {
    kind: 'histogram',
    name: 'mdp_line_lead_seconds',
    help: 'With two lines: by how much the first copy of a push of a book was earlier than the second.',
    labels: [],
    read: ({ meters }) => [[{}, meters.lineLead]],
  },
  one('counter', 'mdp_line_healed_total', 'With two lines: holes of one that the other filled.', (r) => r.meters.linesHealed),
  one(
    'counter',
    'mdp_line_takeovers_total',
    'With two lines: connections that were lost and whose streams went on on the other.',
    (r) => r.meters.takeovers,
  ),
];

const ofBooks: readonly MetricFamily[] = [
  by('gauge', 'mdp_books', 'state', 'Tracked books; only live ones are served without being asked for.', ({ status: { books } }) => ({
    live: books.live,
    syncing: books.syncing,
    stale: books.stale,
    suspect: books.suspect,
  })),
  counted('mdp_book_updates_applied_total', 'Pushes applied to a book.', (m) => m.applied),
  counted('mdp_book_levels_applied_total', 'Levels of applied pushes and snapshots, removals included.', (m) => m.levels),
  counted('mdp_book_updates_dropped_total', 'Pushes whose changes the book held already.', (m) => m.dropped),
  counted('mdp_book_gaps_total', 'Pushes that did not follow the version held; each took its book out of service.', (m) => m.gaps),
  counted('mdp_book_resyncs_total', 'Snapshots applied; each begins a new epoch.', (m) => m.resyncs),
  counted('mdp_book_inputs_refused_total', 'Pushes and snapshots that could not be read.', (m) => m.refused),
  counted('mdp_book_crossings_total', 'Times a best bid was above the best ask.', (m) => m.crossed),
  counted(
    'mdp_book_overflows_total',
    "Times the pushes that waited for a book's snapshot were too many and were dropped; a later snapshot was asked for.",
    (m) => m.overflows,
  ),
  one(
    'counter',
    'mdp_book_read_retries_total',
    'Reads of a book that met its writer and were made again.',
    (r) => r.status.counters.readRetries,
  ),
];

const ofAudits: readonly MetricFamily[] = [
  by(
    'counter',
    'mdp_audits_total',
    'outcome',
    "Books compared with the exchange's; all outcomes but match and mismatch say nothing about the book.",
    ({ meters: { audits } }) => ({ ...audits.outcomes, failed: audits.failed }),
  ),
  by(
    'counter',
    'mdp_audit_levels_total',
    'result',
    'Levels looked at: matched, wrong (another quantity), ghosts (ours alone), missing (the exchange alone); beyond what was proven: corrected, dropped.',
    (r) => r.meters.audits.levels,
  ),
  by(
    'gauge',
    'mdp_audit_match_ratio',
    'shard',
    'Levels that matched out of those compared, over the newest comparison of each book; absent before the first.',
    (r) => r.meters.audits.matchRatios,
  ),
];

const ofShards: readonly MetricFamily[] = [
  by('gauge', 'mdp_shards', 'state', 'Worker threads.', (r) =>
    countBy(
      shardStates,
      r.status.shards.map(({ state }) => state),
    ),
  ),
  ofShard('counter', 'mdp_shard_restarts_total', 'Workers that were lost and replaced.', (shard) => shard.restarts),
  counted('mdp_shard_busy_seconds_total', 'Time the worker spent at work; its rate is the utilisation.', (m) => m.busyMs / 1000),
  ofShard('gauge', 'mdp_shard_symbols', 'Symbols that belong to the shard.', (shard) => shard.symbols),
  ofShard('gauge', 'mdp_shard_memory_used_bytes', 'Memory of books in use.', (shard) => shard.memoryBytes),
  ofShard('gauge', 'mdp_shard_memory_capacity_bytes', 'Memory there is for books.', (shard) => shard.memoryCapacity),
  counted('mdp_shard_pending_pushes', 'Pushes kept until a snapshot comes, of a book or for its audit.', (m) => m.pendingPushes, 'gauge'),
  counted('mdp_shard_pending_bytes', 'Memory these pushes take, 64 MiB a shard at most.', (m) => m.pendingBytes, 'gauge'),
  ofRing('gauge', 'mdp_ring_used_bytes', 'Bytes that wait in a ring.', (ring) => ring.usedBytes),
  ofRing('gauge', 'mdp_ring_capacity_bytes', 'Bytes a ring holds.', (ring) => ring.capacityBytes),
  ofRing('counter', 'mdp_ring_stalls_total', 'Records that found no room in a ring.', (ring) => ring.stalls),
  counted('mdp_ring_lost_frames_total', 'Pushes lost because the inbound ring was full; their books resync.', (m) => m.lostFrames),
  counted(
    'mdp_ring_pressed_frames_total',
    'Pushes that found the inbound ring more than half full; reading from the exchange then rests for a moment.',
    (m) => m.pressedFrames,
  ),
];

const ofClients: readonly MetricFamily[] = [
  one('gauge', 'mdp_clients', 'WebSocket clients.', (r) => r.clients.clients),
  one('gauge', 'mdp_clients_slow', 'Clients that do not keep up at the moment.', (r) => r.clients.slowClients),
  one('gauge', 'mdp_client_subscriptions', 'Subscriptions of all clients.', (r) => r.clients.subscriptions),
  one(
    'gauge',
    'mdp_publications',
    'Different streams with a subscriber; each message is encoded once for all of them.',
    (r) => r.clients.publications,
  ),
  by('counter', 'mdp_refused_total', 'reason', 'Connections and requests turned away at the door.', (r) => r.refusals),
  counted('mdp_messages_encoded_total', 'Messages encoded, once each, whatever the number of subscribers.', (m) => m.messages),
  one('counter', 'mdp_deliveries_total', 'Messages written to clients.', (r) => r.clients.framesSent),
  one('counter', 'mdp_delivered_bytes_total', 'Bytes of these messages.', (r) => r.clients.bytesSent),
  one(
    'counter',
    'mdp_deltas_skipped_total',
    'Deltas not sent to a slow client, which gets a snapshot instead.',
    (r) => r.clients.deltasSkipped,
  ),
  one('counter', 'mdp_trades_skipped_total', 'Trades not sent to a slow client, which is told how many.', (r) => r.clients.tradesSkipped),
  one(
    'counter',
    'mdp_messages_conflated_total',
    'Messages replaced by a newer one before a slow client took them.',
    (r) => r.clients.conflated,
  ),
  one('counter', 'mdp_client_slowdowns_total', 'Times a client became slow.', (r) => r.clients.slowdowns),
  one('counter', 'mdp_clients_closed_slow_total', 'Clients closed because they were behind for too long.', (r) => r.clients.slowClosed),
];

const ofTime: readonly MetricFamily[] = [
  {
    kind: 'histogram',
    name: 'mdp_latency_seconds',
    help: 'Time of a push from the exchange to receipt, from receipt into the book, and from receipt to the sockets of the clients.',
    labels: ['stage'],
    read: (reading) => Object.entries(stages(reading)).map(([stage, times]) => [{ stage }, times]),
  },
  by(
    'counter',
    'mdp_latency_negative_total',
    'stage',
    'Times below zero, as of a clock behind that of the exchange; they are in the first bucket and not in the sum.',
    (reading) => Object.fromEntries(Object.entries(stages(reading)).map(([stage, { negative }]) => [stage, negative])),
  ),
  {
    kind: 'histogram',
    name: 'mdp_event_loop_delay_seconds',
    help: 'How late the 10 ms clock of the main thread rang.',
    labels: [],
    read: ({ meters }) => [[{}, meters.eventLoopDelay]],
  },
  one('counter', 'mdp_event_loop_active_seconds_total', 'Time the main thread was not idle.', (r) => r.process.loopActiveSeconds),
];

const ofProcess: readonly MetricFamily[] = [
  one('counter', 'process_cpu_seconds_total', 'CPU time of all threads.', (r) => r.process.cpuSeconds),
  one('gauge', 'process_resident_memory_bytes', 'Resident memory, books included.', (r) => r.process.memory.rss),
  one('gauge', 'process_start_time_seconds', 'When the process started, in Unix time.', (r) => r.process.startTime),
  {
    kind: 'gauge',
    name: 'process_open_fds',
    help: 'Open file descriptors; absent where the system does not say.',
    labels: [],
    read: ({ process: { openFds } }) => (openFds === null ? [] : [[{}, openFds]]),
  },
  one('gauge', 'nodejs_heap_used_bytes', 'JavaScript heap of the main thread in use.', (r) => r.process.memory.heapUsed),
  one('gauge', 'nodejs_heap_size_bytes', 'JavaScript heap of the main thread.', (r) => r.process.memory.heapTotal),
  one(
    'gauge',
    'nodejs_external_memory_bytes',
    'Memory outside the heap that objects of the main thread hold.',
    (r) => r.process.memory.external,
  ),
  {
    kind: 'gauge',
    name: 'mdp_build_info',
    help: 'Always 1; the labels say what is running.',
    labels: ['version', 'node'],
    read: () => [[{ version: packageVersion(), node: process.version }, 1]],
  },
  {
    kind: 'gauge',
    name: 'mdp_source_info',
    help: 'Always 1; the labels say where the data comes from.',
    labels: ['venue', 'simulated'],
    read: ({ status: { source } }) => [[{ venue: source.venue, simulated: String(source.simulated) }, 1]],
  },
];

/** Every metric there is, in the order of the page. */
export const metricFamilies: readonly MetricFamily[] = [
  ...ofExchange,
  ...ofLines,
  ...ofBooks,
  ...ofAudits,
  ...ofShards,
  ...ofClients,
  ...ofTime,
  ...ofProcess,
];
