import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import type { GatewayContext } from '../context.js';
import { Problem } from '../problem.js';
import { Session } from './session.js';

export const STREAM_PATH = '/ws';

/**
 * Adds the push stream at `/ws`. To be called before any other route is added: from then on every route knows that a request
 * may be an upgrade.
 */
export async function addStream(app: FastifyInstance, context: GatewayContext): Promise<void> {
  const { limits, hub, now, logger } = context;
  const sessions = new Set<Session>();

  // `closeTimeout`: how long `ws` waits for the answer to a close frame; not in the types of `ws` yet.
  const options = {
    // Compressed frames would be queued inside `ws`, and could not be shared between clients.
    perMessageDeflate: false,
    maxPayload: limits.messageBytes,
    // The session answers pings itself, within its limits.
    autoPong: false,
    closeTimeout: hub.limits.closeGraceMs,
  };
  await app.register(websocket, {
    options,
    // `ws` has sent the close frame that says what was wrong (1002, 1007, 1009), and 'close' follows.
    errorHandler: (error) => logger.debug({ err: error }, 'websocket error'),
    preClose: (done) => endAll(app, sessions, limits.closeGraceMs, done),
  });

  app.addHook('onRequest', (request, _reply, done) => {
    if (!request.ws || request.is404) return done();
    if (request.routeOptions.url !== STREAM_PATH)
      return done(new Problem('BAD_REQUEST', `WebSocket connections are taken at ${STREAM_PATH} only`));
    done(sessions.size >= limits.clients ? new Problem('TOO_MANY_CLIENTS', `${limits.clients} clients are connected`) : undefined);
  });

  app.route({
    method: 'GET',
    url: STREAM_PATH,
    config: {
      docs: {
        tag: 'documents',
        summary: 'The push protocol',
        description: 'A WebSocket endpoint; `/asyncapi.json` describes what is said on it.',
        answers: { 101: { description: 'the connection is a WebSocket from here on' } },
        problems: ['UPGRADE_REQUIRED', 'TOO_MANY_CLIENTS'],
      },
    },
    handler: () => {
      const headers = { connection: 'Upgrade', upgrade: 'websocket' };
      throw new Problem('UPGRADE_REQUIRED', 'this is a WebSocket endpoint', {}, { headers });
    },
    wsHandler: (ws, request) => {
      const session = new Session(ws, request.raw.socket, context);
      sessions.add(session);
      ws.on('close', () => sessions.delete(session));
    },
  });

  const timer = setInterval(() => {
    const nowMs = now();
    hub.check(nowMs);
    for (const session of sessions) session.checkLife(nowMs);
  }, limits.checkIntervalMs);
  // A built but never closed app must not keep the process alive.
  timer.unref();
  app.addHook('onClose', async () => clearInterval(timer));
}

/** Closes every client with 1001; whoever has not gone after the grace time is dropped. */
function endAll(app: FastifyInstance, sessions: ReadonlySet<Session>, graceMs: number, done: () => void): void {
  const cut = setTimeout(() => {
    for (const client of app.websocketServer.clients) client.terminate();
  }, graceMs);
  for (const session of sessions) session.end('SHUTTING_DOWN');
  app.websocketServer.close(() => {
    clearTimeout(cut);
    done();
  });
}
