/** What a client can be sent. One publication is encoded once, whatever the number of its subscribers. */
export const Channel = { BOOK: 0, BOOK_TOP: 1, BBO: 2, STATUS: 3 } as const;
export type Channel = (typeof Channel)[keyof typeof Channel];

export const channelNames = ['book', 'book_top', 'bbo', 'status'] as const;
export type ChannelName = (typeof channelNames)[number];

export interface PublicationSpec {
  readonly channel: Channel;
  /** Levels a side; 0 = the full book. Ignored by `bbo` and `status`. */
  readonly depth: number;
  /** Least time between two messages in ms; 0 = every change. Ignored by `status`. */
  readonly intervalMs: number;
}

/** What one encoded message means to the fan-out. */
export const MessageKind = {
  /** Replaces whatever a subscriber holds; goes to every subscriber. Ends a subscriber's wait for its first snapshot. */
  SNAPSHOT: 0,
  /** Applies to a subscriber whose last message of this publication was the one before it. */
  DELTA: 1,
  /** A snapshot asked for by one subscriber (`token`). */
  SNAPSHOT_FOR: 2,
  /** The book's state changed; goes to every subscriber. */
  STATE: 3,
  /** The book's state, for one subscriber (`token`) that asked for a snapshot while the book was not live. */
  STATE_FOR: 4,
} as const;
export type MessageKind = (typeof MessageKind)[keyof typeof MessageKind];

/** Largest token: a message carries it beside its kind in 32 bits. */
export const TOKEN_MAX = 2 ** 28 - 1;

/** The fan-out's way to the shards; every call becomes a record in the owning shard's ring. */
export interface PublicationPort {
  /** Answered by a SNAPSHOT or, while the book is not live, a STATE message. */
  open(symbolId: number, publicationId: number, spec: PublicationSpec): void;
  close(symbolId: number, publicationId: number): void;
  /** Answered by one SNAPSHOT_FOR or STATE_FOR message that carries `token`. */
  requestSnapshot(symbolId: number, publicationId: number, token: number, reason: 'subscribe' | 'slow'): void;
}

/**
 * Takes encoded messages. `frame` is one whole unmasked WebSocket text frame (header and payload), owned by the callee;
 * the JSON payload begins at `payloadOffset`.
 */
export interface PublicationSink {
  deliver(publicationId: number, kind: MessageKind, token: number, frame: Buffer, payloadOffset: number): void;
  /** Everything due in this turn was delivered: write it out, one write a client. */
  flush(): void;
}
