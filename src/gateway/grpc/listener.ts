import { once } from 'node:events';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { CodedError, ErrorCode } from '../../support/errors.js';
import { ConnectionLimit } from '../access/connection-limit.js';
import type { GatewayContext } from '../context.js';

export interface Listener {
  readonly port: number;
  /** No new connections from here on; those there are stay. */
  stop(): void;
}

/**
 * Takes connections for a gRPC server, within the limits on them; a port that grpc-js binds by itself has none. Throws
 * GRPC_PORT_UNAVAILABLE.
 */
export async function listenFor(server: Server, host: string, port: number, context: GatewayContext): Promise<Listener> {
  const { limits, refusals, tls, trustProxy } = context;
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }], false);
  const injector = server.createConnectionInjector(credentials);
  // gRPC tells nothing of who is behind a proxy: clients are counted by the address they connect from, those of a trusted proxy not at all.
  const limit = new ConnectionLimit(limits, trustProxy, refusals);
  const listener = createServer((socket) => {
    if (limit.admit(socket)) injector.injectConnection(socket);
  });
  await bind(listener, host, port);
  listener.on('error', (err) => context.logger.error({ err }, 'gRPC listener'));
  return { port: (listener.address() as AddressInfo).port, stop: () => void listener.close() };
}

async function bind(listener: NetServer, host: string, port: number): Promise<void> {
  try {
    listener.listen(port, host);
    await once(listener, 'listening');
  } catch (error) {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const { code, message } = error as NodeJS.ErrnoException;
    const text = code === 'EADDRINUSE' ? `port ${address} is in use` : `cannot listen at ${address}: ${message}`;
    throw new CodedError(ErrorCode.GRPC_PORT_UNAVAILABLE, text, { address }, error);
  }
}
