import { Server, setLogger } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProto } from 'grpc-health-check';
import { createContext, type GatewayOptions } from '../context.js';
import { createCalls } from './calls.js';
import { guardCalls } from './guard.js';
import { Health } from './health.js';
import { listenFor } from './listener.js';
import { loadContract, serviceOf } from './schema.js';
import { StreamTable } from './stream-table.js';

export interface GrpcServerOptions extends GatewayOptions {
  readonly host: string;
  /** 0 = any. */
  readonly port: number;
}

export interface GrpcServer {
  /** E.g. `127.0.0.1:50051`: what clients give to their channel. */
  readonly address: string;
  /** Ends every stream with UNAVAILABLE, lets answers under way finish, and cuts what has not gone after `closeGraceMs`. */
  close(): Promise<void>;
}

/** Streams HTTP/2 lets a connection open: more than we allow, so that one too many is told so instead of waiting without a word. */
const SPARE_STREAMS = 100;

/**
 * Starts the gRPC server: market data, health and reflection on one port, with TLS where there is a certificate. Main thread only.
 * Throws GRPC_PORT_UNAVAILABLE.
 */
export async function startGrpcServer({ host, port, ...options }: GrpcServerOptions): Promise<GrpcServer> {
  const context = createContext(options);
  const { limits, now } = context;
  // It writes to standard error, also what it reports to us.
  setLogger({ error: (...text: unknown[]) => context.logger.debug({ text: text.join(' ') }, 'grpc-js') });
  const streams = new StreamTable(limits);
  const server = new Server({
    interceptors: [guardCalls(context, streams)],
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': limits.grpcStreamsPerConnection + SPARE_STREAMS,
    'grpc.keepalive_time_ms': limits.pingIntervalMs,
    'grpc.keepalive_timeout_ms': limits.deadAfterMs - limits.pingIntervalMs,
    ...(limits.idleMs !== Infinity && { 'grpc.max_connection_idle_ms': limits.idleMs }),
  });
  const contract = loadContract();
  server.addService(serviceOf(contract), createCalls(context, streams));
  const health = new Health(context, server);
  new ReflectionService({ ...contract, ...loadSync(healthProto, { keepCase: true }) }).addToServer(server);

  const authority = host.includes(':') ? `[${host}]` : host;
  const listener = await listenFor(server, host, port, context);
  const timer = setInterval(() => {
    health.update();
    const nowMs = now();
    for (const stream of streams) stream.check(nowMs);
    streams.check();
  }, limits.checkIntervalMs);
  // A server that nobody closed must not keep the process alive.
  timer.unref();
  return {
    address: `${authority}:${listener.port}`,
    close: async () => {
      clearInterval(timer);
      listener.stop();
      health.shutDown();
      for (const stream of streams) stream.shutDown();
      await shutDown(server, limits.closeGraceMs);
    },
  };
}

/** Lets answers under way finish; cuts what has not gone after the grace time. */
function shutDown(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.forceShutdown(), graceMs);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
