import type { AuditMeters } from './audit.js';

/** A histogram of times as it stood at one moment. The bounds of its buckets are those of `memory/log-histogram.ts`. */
export interface TimesSeen {
  /** By bucket; the last one holds what is longer than every bound. */
  readonly counts: Float64Array;
  /** Of what was not negative. */
  readonly sumMs: number;
  /** Times below zero: two clocks that differ. They are in the first bucket too. */
  readonly negative: number;
}

export interface RingMeters {
  readonly usedBytes: number;
  readonly capacityBytes: number;
  /** Records that found no room. */
  readonly stalls: number;
}

/** What one shard and its rings counted since the process started. */
export interface ShardMeters {
  readonly shard: number;
  /** Time the worker spent at work, not asleep. */
  readonly busyMs: number;
  readonly levels: number;
  readonly applied: number;
  readonly dropped: number;
  readonly gaps: number;
  readonly resyncs: number;
  readonly refused: number;
  readonly crossed: number;
  /** Times the pushes that waited for a book's snapshot were too many and were dropped. */
  readonly overflows: number;
  /** Pushes that wait for a snapshot at the moment, and the memory they take. */
  readonly pendingPushes: number;
  readonly pendingBytes: number;
  /** Text frames of the JSON streams that were read. */
  readonly textFrames: number;
  /** Messages for clients that were encoded. */
  readonly messages: number;
  readonly inbound: RingMeters;
  /** Pushes that found the inbound ring more than half full, upon which reading rests for a moment. */
  readonly pressedFrames: number;
  /** Pushes that found no room in the inbound ring. */
  readonly lostFrames: number;
  readonly outbound: RingMeters;
}

/** What the engine counts for its operator beside its status. */
export interface EngineMeters {
  readonly shards: readonly ShardMeters[];
  /** From the exchange's own time stamp to receipt. The two clocks may differ. */
  readonly exchangeToReceived: TimesSeen;
  /** From receipt to the end of the batch in which the push entered its book. */
  readonly receivedToApplied: TimesSeen;
  /** From receipt of a book's last push to the moment a message about it was handed to the clients' sockets. */
  readonly receivedToPublished: TimesSeen;
  /** With two lines: by how much the first copy of a push was earlier than the second. */
  readonly lineLead: TimesSeen;
  /** By line, the pushes that came on it first, or on it alone; without those that waited for a snapshot. */
  readonly lineWins: readonly [number, number];
  /** Holes of one line that the other filled. */
  readonly linesHealed: number;
  /** Losses of a connection that the other line made up for. */
  readonly takeovers: number;
  /** How late the clock of the main thread rang. */
  readonly eventLoopDelay: TimesSeen;
  /** Binary frames of the exchange that are no push. */
  readonly malformedFrames: number;
  /** Text frames that could not be read, by code. */
  readonly textRefusals: Readonly<Record<string, number>>;
  /** Connections to the exchange that were open and were lost. */
  readonly connectionsLost: number;
  readonly audits: AuditMeters;
  /** Connections to the exchange replaced because of their age. */
  readonly connectionsReplaced: number;
  /** Requests to the exchange. */
  readonly requests: number;
  /** Requests that wait and are not for snapshots, by what they are for. */
  readonly requestsWaiting: Readonly<Record<string, number>>;
  /** Those refused because too many waited. */
  readonly requestsRefused: Readonly<Record<string, number>>;
  /** Times the exchange made all requests pause. */
  readonly pauses: number;
}
