/** What a client can be sent. One publication is encoded once, whatever the number of its subscribers. */
export const Channel = { BOOK: 0, BOOK_TOP: 1, BBO: 2, STATUS: 3, TRADE: 4, TICKER: 5, CANDLE: 6, ANALYTICS: 7 } as const;
export type Channel = (typeof Channel)[keyof typeof Channel];

const names = {
  [Channel.BOOK]: 'book',
  [Channel.BOOK_TOP]: 'book_top',
  [Channel.BBO]: 'bbo',
  [Channel.STATUS]: 'status',
  [Channel.TRADE]: 'trade',
  [Channel.TICKER]: 'ticker',
  [Channel.CANDLE]: 'candle',
  [Channel.ANALYTICS]: 'analytics',
} as const satisfies Record<Channel, string>;
export type ChannelName = (typeof names)[Channel];

/** All there are, in the order of their numbers, which have gaps. */
export const channelNames: readonly ChannelName[] = Object.values(names);

export function channelName(channel: Channel): ChannelName {
  return names[channel];
}

/** `undefined` when there is no such channel. */
export function channelOfName(name: unknown): Channel | undefined {
  return Object.values(Channel).find((channel) => names[channel] === name);
}

/** Whether a channel has a depth: the levels a side it is about. */
export function hasDepth(channel: Channel): boolean {
  return channel === Channel.BOOK || channel === Channel.BOOK_TOP || channel === Channel.ANALYTICS;
}

/** Whether a subscription chooses how often it is sent something. Of states and trades everything is sent at once. */
export function hasInterval(channel: Channel): boolean {
  return channel !== Channel.STATUS && channel !== Channel.TRADE;
}

/** What the bytes of a message are. */
export const Format = {
  /** A whole unmasked WebSocket text frame, header and JSON. */
  JSON: 0,
  /** The protobuf message of the channel (`proto/market_data.proto`), without any framing. */
  PROTOBUF: 1,
  /** The same, and every price and quantity of a book also as decimal text. */
  PROTOBUF_EXACT: 2,
} as const;
export type Format = (typeof Format)[keyof typeof Format];

export interface PublicationSpec {
  readonly channel: Channel;
  readonly format: Format;
  /** Levels a side; 0 = the full book. 0 for channels without (`hasDepth`). */
  readonly depth: number;
  /** Least time between two messages in ms; 0 = every change. 0 for channels without (`hasInterval`). */
  readonly intervalMs: number;
  /** `candle` only: place of the candles' length in `candleIntervals`. */
  readonly candleInterval?: number;
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

/** What the fan-out has to know of a message of the channel `trade`. */
export interface TradesHead {
  /** Trades in it; below 0 = it tells of some that are missing. */
  readonly count: number;
  readonly epoch: number;
  /** Id of its last trade. */
  readonly seq: number;
  /** Unix ms of its first and last trade; NaN = not known. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** One message of the channel `trade`, in the publication's format. */
export interface TradesMessage extends TradesHead {
  readonly frame: Buffer;
}

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

/** Takes encoded messages. `frame` is one whole message in the publication's format, owned by the callee. */
export interface PublicationSink {
  /** Whether anybody is subscribed: messages for nobody are not delivered. */
  wants(publicationId: number): boolean;
  deliver(publicationId: number, kind: MessageKind, token: number, frame: Buffer): void;
  /** The same for trades, each of which goes to every subscriber. */
  deliverTrades(publicationId: number, message: TradesMessage): void;
  /**
   * Everything due in this turn was delivered: write it out, one write a client. Returns true when some clients were left for the next call, which
   * is due as soon as the event loop went round, whether anything is delivered until then or not.
   */
  flush(): boolean;
}
