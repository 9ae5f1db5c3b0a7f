import proxyAddr from '@fastify/proxy-addr';
import { ServerInterceptingCall, type ServerInterceptingCallInterface, type ServerInterceptor } from '@grpc/grpc-js';
import { RequestRate } from '../access/request-rate.js';
import type { GatewayContext } from '../context.js';
import { http2StreamOf } from './http2-stream.js';
import { SERVICE_NAME } from './schema.js';
import { SideStream } from './side-stream.js';
import { toStatus } from './status.js';
import type { StreamTable } from './stream-table.js';

/**
 * Lets calls through to their handlers, by the rate of their address: every call of a method there is, health and reflection included, before anything of it
 * is read. Streams of health and reflection are opened within the limits on streams; those of market data see to it themselves.
 */
export function guardCalls(context: GatewayContext, streams: StreamTable): ServerInterceptor {
  const { limits, now, refusals, trustProxy } = context;
  const rate = new RequestRate(limits.requestsPerSecond, refusals, now);
  const trusts = proxyAddr.compile([...trustProxy]);

  return ({ path, requestStream, responseStream }, call) => {
    const { remoteAddress } = call.getConnectionInfo();
    // Who is behind a trusted proxy is not told here, and it is not one client.
    const address = remoteAddress === undefined || trusts(remoteAddress, 0) ? undefined : remoteAddress;
    const tooMany = rate.refusal(address);
    if (tooMany !== undefined) return refused(call, tooMany);
    const stream = http2StreamOf(call);
    // Handed on as it is, a call costs nothing more.
    if (!responseStream || path.startsWith(`/${SERVICE_NAME}/`) || stream === undefined || stream.destroyed)
      return call as ServerInterceptingCall;
    try {
      return streams.add(call.getPeer(), (done) => {
        stream.once('close', done);
        return new SideStream(call, stream, context, requestStream ? () => rate.refusal(address) : () => undefined);
      });
    } catch (error) {
      return refused(call, error);
    }
  };
}

/** A call that ends before its handler hears of it. */
function refused(call: ServerInterceptingCallInterface, error: unknown): ServerInterceptingCall {
  return new ServerInterceptingCall(call, { start: () => call.sendStatus(toStatus(error)) });
}
