/** Every limit of the client side, with its default. */
export interface GatewayLimits {
  /** Longest symbol a client may name, in UTF-16 units; longer ones are unknown symbols. */
  readonly symbolLength: number;
  /** Symbols in one `GET /orderbooks` or `GET /bbo?symbols=`. */
  readonly symbolsPerRequest: number;
  /** Bytes of encoded levels kept for the next request of the same version. */
  readonly levelCacheBytes: number;
  /** Share of the tracked books that must be live before the process calls itself ready. */
  readonly readyShare: number;
  /** Bytes of a request body. */
  readonly bodyBytes: number;
  /** How long answers under way may take when the server closes, in ms. */
  readonly closeGraceMs: number;
  /** Sockets at a time of a port. */
  readonly connections: number;
  /** Sockets of one address at a time, and WebSocket clients behind one address of a proxy; Infinity = no limit. */
  readonly connectionsPerAddress: number;
  /** HTTP requests of one address in a second, and gRPC calls as many; Infinity = no limit. */
  readonly requestsPerSecond: number;
  /** A request must have arrived whole within this time, in ms; so must the first one of a connection, and a TLS handshake. */
  readonly requestMs: number;
  /** Requests of one connection that wait for the answer before them; one more drops it. */
  readonly pipelinedRequests: number;
  /** An HTTP connection, a single gRPC call, or a stream of health or reflection, of which nothing moves although an answer is under way is dropped after so long, in ms. */
  readonly stalledMs: number;
  /** A WebSocket client without subscription and message, and a gRPC connection without call, is closed after so long; Infinity = never. */
  readonly idleMs: number;
  /** WebSocket clients at a time. */
  readonly clients: number;
  /** Bytes of one message of a client; a larger one closes it with 1009. */
  readonly messageBytes: number;
  /** Subscriptions of one client: as many at once, or in all. */
  readonly subscriptionsPerClient: number;
  /** New subscriptions of one client in a second, once it used up `subscriptionsPerClient`; a message with more is refused. */
  readonly subscriptionsPerSecond: number;
  readonly symbolsPerMessage: number;
  /** Messages (and WebSocket pings) of one client in a second; the rest is refused. */
  readonly messagesPerSecond: number;
  /** Seconds over that rate, out of ten, before the client is closed with 4029. */
  readonly rateLimitedSeconds: number;
  /** gRPC streams at a time, of all clients and of one connection, those of health and reflection included. */
  readonly grpcStreams: number;
  readonly grpcStreamsPerConnection: number;
  /** Different ways (depth, speed, mode, exact) in which a symbol's book is encoded for gRPC at a time: each is work for its shard. */
  readonly grpcVariantsPerSymbol: number;
  /** Bytes that one gRPC connection has not read: of answers to single calls, and of streams. */
  readonly grpcUnreadBytes: number;
  /** How long the book of a gRPC stream that is not told of states may be out of service before the stream ends, in ms. */
  readonly notLiveGraceMs: number;
  /** Pace of the checks for slow, dead and closed clients, in ms. */
  readonly checkIntervalMs: number;
  readonly pingIntervalMs: number;
  /** A client not heard of for so long is dropped, in ms. */
  readonly deadAfterMs: number;
}

export const defaultGatewayLimits: GatewayLimits = {
  symbolLength: 64,
  symbolsPerRequest: 100,
  levelCacheBytes: 32 * 1024 * 1024,
  readyShare: 0.9,
  bodyBytes: 16 * 1024,
  closeGraceMs: 500,
  connections: 20_000,
  connectionsPerAddress: Infinity,
  requestsPerSecond: Infinity,
  requestMs: 10_000,
  pipelinedRequests: 100,
  stalledMs: 60_000,
  idleMs: Infinity,
  clients: 10_000,
  messageBytes: 64 * 1024,
  subscriptionsPerClient: 10_000,
  subscriptionsPerSecond: 1_000,
  symbolsPerMessage: 1_000,
  messagesPerSecond: 100,
  rateLimitedSeconds: 3,
  grpcStreams: 10_000,
  grpcStreamsPerConnection: 1_000,
  grpcVariantsPerSymbol: 100,
  grpcUnreadBytes: 64 * 1024 * 1024,
  notLiveGraceMs: 5_000,
  checkIntervalMs: 1_000,
  pingIntervalMs: 20_000,
  deadAfterMs: 60_000,
};
