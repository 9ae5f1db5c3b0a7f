import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { openRefusal } from '../access/page-rule.js';
import { PerAddress } from '../access/per-address.js';
import { chooseSubprotocol } from '../access/shown-key.js';
import type { GatewayContext } from '../context.js';
import { Problem } from '../problem.js';
import { Rounds } from '../../support/rounds.js';
import { Session } from './session.js';

export const STREAM_PATH = '/ws';

/** The golden ratio spreads any number of clients evenly, so that thousands that came together are not pinged together: each ping is a write. */
const PING_PHASE_STEP = (Math.sqrt(5) - 1) / 2;

/** Clients are looked at once in each check interval, a twentieth of them at a time. */
const CHECKS_PER_ROUND = 20;

/**
 * Adds the push stream at `/ws`. To be called before any other route is added: from then on every route knows that a request
 * may be an upgrade.
 */
export async function addStream(app: FastifyInstance, context: GatewayContext): Promise<void> {
  const { limits, hub, now, logger, refusals } = context;
  const sessions = new Set<Session>();
  let pingPhase = 0;
  /** Behind a proxy the sockets do not tell clients apart, their stated addresses do. */
  const perAddress = new PerAddress(limits.connectionsPerAddress);

  // `closeTimeout`: how long `ws` waits for the answer to a close frame; not in the types of `ws` yet. The hub's checks come before it, and reset.
  const options = {
    // Compressed frames would be queued inside `ws`, and could not be shared between clients.
    perMessageDeflate: false,
    maxPayload: limits.messageBytes,
    // The session answers pings itself, within its limits.
    autoPong: false,
    closeTimeout: hub.limits.closeGraceMs + 10 * limits.checkIntervalMs,
    handleProtocols: chooseSubprotocol,
  };
  await app.register(websocket, {
    options,
    // `ws` has sent the close frame that says what was wrong (1002, 1007, 1009), and 'close' follows.
    errorHandler: (error) => logger.debug({ err: error }, 'websocket error'),
    preClose: (done) => endAll(app, sessions, limits.closeGraceMs, done),
  });

  // Behind every `onRequest`: who is refused here has been counted in the rate of its address.
  app.addHook('preParsing', (request, _reply, _payload, done) => {
    if (!request.ws || request.is404) return done();
    if (request.routeOptions.url !== STREAM_PATH)
      return done(new Problem('BAD_REQUEST', `WebSocket connections are taken at ${STREAM_PATH} only`));
    done(refusalOf(request));
  });

  function refusalOf({ headers }: FastifyRequest): Problem | undefined {
    const refusal = openRefusal(headers, context);
    if (refusal !== undefined) {
      refusals.counts.origin++;
      return new Problem('ORIGIN_NOT_ALLOWED', refusal);
    }
    if (sessions.size < limits.clients) return undefined;
    refusals.counts.clients++;
    return new Problem('TOO_MANY_CLIENTS', `${limits.clients} clients are connected`);
  }

  app.route({
    method: 'GET',
    url: STREAM_PATH,
    config: {
      docs: {
        tag: 'documents',
        summary: 'The push protocol',
        description: 'A WebSocket endpoint; `/asyncapi.json` describes what is said on it.',
        answers: { 101: { description: 'the connection is a WebSocket from here on' } },
        problems: ['UPGRADE_REQUIRED', 'ORIGIN_NOT_ALLOWED', 'TOO_MANY_CLIENTS'],
      },
    },
    handler: () => {
      const headers = { connection: 'Upgrade', upgrade: 'websocket' };
      throw new Problem('UPGRADE_REQUIRED', 'this is a WebSocket endpoint', {}, { headers });
    },
    preHandler: (request, _reply, done) => {
      if (!request.ws) return done();
      const giveBack = perAddress.take(request.ip);
      if (giveBack !== undefined) {
        request.raw.socket.once('close', giveBack);
        return done();
      }
      refusals.counts.address++;
      done(new Problem('TOO_MANY_CLIENTS', `${limits.connectionsPerAddress} clients of this address are connected`));
    },
    wsHandler: (ws, request) => {
      const session = new Session(ws, request.raw.socket, context, pingPhase);
      pingPhase = (pingPhase + PING_PHASE_STEP) % 1;
      sessions.add(session);
      ws.on('close', () => sessions.delete(session));
    },
  });

  const rounds = new Rounds(sessions);
  const timer = setInterval(() => {
    const nowMs = now();
    hub.check(nowMs, 1 / CHECKS_PER_ROUND);
    rounds.next(1 / CHECKS_PER_ROUND, (session) => {
      session.checkLife(nowMs);
      return true;
    });
  }, limits.checkIntervalMs / CHECKS_PER_ROUND);
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
