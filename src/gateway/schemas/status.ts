import { Type } from '@fastify/type-provider-typebox';
import { workerDeaths } from '../../model/market-data.js';
import { count, Epoch, nullable, Reason, Seq, State, SymbolName, time } from './values.js';

const total = count('since the start');
const now = count('now');

export const SymbolStatus = Type.Object(
  {
    symbol: SymbolName,
    state: State,
    reason: Reason,
    since: time('the last change of state'),
    epoch: Epoch,
    seq: Seq,
    version: Type.Integer({ description: "the exchange's own version of the book; 0 when it holds nothing" }),
    ageMs: nullable(Type.Integer({ minimum: 0, description: 'since the last update was received' })),
    shard: count('the worker thread that keeps the book'),
    connection: nullable(count('the connection that carries it; null while it has none')),
    bidLevels: now,
    askLevels: now,
    counters: Type.Object({
      framesApplied: total,
      framesDropped: total,
      gaps: total,
      resyncs: total,
      framesRefused: total,
      inexactNumbers: total,
      evictedLevels: total,
    }),
  },
  { $id: 'SymbolStatus', description: 'One book, live or not.' },
);

const ShardStatus = Type.Object(
  {
    shard: count('its number'),
    state: Type.Enum(['starting', 'running', 'restarting', 'stopped']),
    restarts: total,
    deaths: count('workers lost in a row, of which none but the first worked for two minutes; 0 once one has'),
    lastDeath: nullable(Type.Enum([...workerDeaths], { description: 'why the last worker was lost; null when none was' })),
    symbols: now,
    ringBytes: count('waiting for the worker'),
    ringCapacity: count('bytes'),
    memoryBytes: count('used by books'),
    memoryCapacity: count('bytes'),
  },
  { $id: 'ShardStatus' },
);

const ConnectionStatus = Type.Object(
  {
    connection: count('its number'),
    line: Type.Integer({ minimum: 0, maximum: 1, description: 'with `--lines 2` every channel is carried by a connection of each' }),
    state: Type.Enum(['connecting', 'open', 'waiting', 'closed']),
    subscriptions: now,
    reconnects: total,
    frames: total,
    lastReceived: nullable(time('the last frame of any kind')),
    lastCloseCode: nullable(count('the WebSocket close code of the last loss; null when it never closed')),
  },
  { $id: 'ConnectionStatus' },
);

export const EngineStatus = Type.Object(
  {
    source: Type.Object({
      venue: Type.Literal('mexc'),
      simulated: Type.Boolean({ description: 'true: nothing here is of the real market' }),
      wsUrl: Type.String(),
      restUrl: Type.String(),
    }),
    instance: Type.String({ description: 'random word of this process' }),
    startedAt: time('the start'),
    books: Type.Object({ tracked: now, live: now, syncing: now, stale: now, suspect: now }),
    shards: Type.Array(ShardStatus),
    connections: Type.Array(ConnectionStatus),
    snapshots: Type.Object({
      waiting: now,
      inFlight: now,
      ratePerSecond: Type.Number({ exclusiveMinimum: 0 }),
      pausedUntil: nullable(time('until when the exchange is asked nothing')),
    }),
    exchangeClock: nullable(
      Type.Object(
        {
          offsetMs: Type.Number({ description: "above 0: the exchange's clock is ahead of ours" }),
          errorMs: Type.Number({ exclusiveMinimum: 0, description: 'the offset is off by no more' }),
          measuredAt: time('the measurement'),
        },
        { description: 'null before it was measured' },
      ),
    ),
    counters: Type.Object({
      frames: total,
      bytes: total,
      framesApplied: total,
      framesDropped: total,
      framesRefused: total,
      framesUnknownSymbol: total,
      gaps: total,
      resyncs: total,
      crossedBooks: total,
      readRetries: total,
    }),
    clients: Type.Object({
      framesSent: total,
      bytesSent: total,
      deltasSkipped: total,
      tradesSkipped: total,
      conflated: total,
      slowdowns: total,
      slowClosed: total,
      clients: now,
      slowClients: now,
      publications: now,
      subscriptions: now,
    }),
  },
  { $id: 'EngineStatus', description: 'The engine and its clients.' },
);

export const Live = Type.Object({ status: Type.Literal('live') }, { $id: 'Live' });

export const Ready = Type.Object(
  { status: Type.Literal('ready'), live: now, tracked: now, required: count('how many books must be live') },
  { $id: 'Ready' },
);
