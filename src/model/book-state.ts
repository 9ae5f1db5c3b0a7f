/** What an order book is worth right now. Numbers, because the state lives in a shared word. */
export const BookState = {
  /** No verified book: waiting for a snapshot that joins the stream. */
  SYNCING: 0,
  /** Exact: every update since the snapshot was seen. */
  LIVE: 1,
  /** Silent for too long, or its line to the exchange is down. */
  STALE: 2,
  /** Contradicts itself (best bid above best ask) or the exchange (an audit), or out of memory. */
  SUSPECT: 3,
} as const;
export type BookState = (typeof BookState)[keyof typeof BookState];

export const bookStateNames = ['syncing', 'live', 'stale', 'suspect'] as const;
export type BookStateName = (typeof bookStateNames)[number];

/** Why a book entered its present state. */
export const StateReason = {
  /** Tracked, nothing received yet. */
  START: 0,
  /** Snapshot and stream joined. */
  SYNCED: 1,
  /** `fromVersion` did not follow the version held. */
  GAP: 2,
  /** Best bid above best ask. */
  CROSSED: 3,
  /** The connection that carries the symbol was lost. */
  LINE_DOWN: 4,
  /** No update for longer than the symbol's allowance. */
  SILENT: 5,
  /** More updates waited for a snapshot than the buffer holds. */
  BUFFER_OVERFLOW: 6,
  /** The shard's memory is full. */
  MEMORY_FULL: 7,
  /** The worker thread died; its books start anew. */
  WORKER_LOST: 8,
  /** The exchange refused the subscription. */
  SUBSCRIPTION_REFUSED: 9,
  /** The inbound ring was full and an update was dropped. */
  RING_FULL: 10,
  /** A frame of this symbol could not be decoded. */
  BAD_FRAME: 11,
  /** The snapshot is older than the first update that waits for it. */
  SNAPSHOT_OLD: 12,
  /** The snapshot could not be read. */
  SNAPSHOT_MALFORMED: 13,
  /** An audit found another book at the exchange. */
  AUDIT_MISMATCH: 14,
} as const;
export type StateReason = (typeof StateReason)[keyof typeof StateReason];

export const stateReasonNames = [
  'start',
  'synced',
  'gap',
  'crossed',
  'line_down',
  'silent',
  'buffer_overflow',
  'memory_full',
  'worker_lost',
  'subscription_refused',
  'ring_full',
  'bad_frame',
  'snapshot_old',
  'snapshot_malformed',
  'audit_mismatch',
] as const;
export type StateReasonName = (typeof stateReasonNames)[number];
