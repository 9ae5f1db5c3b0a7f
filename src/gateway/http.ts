import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import Fastify, { type FastifyHttpOptions, type FastifyInstance, type FastifySchemaCompiler, LogController } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { addGuard, isGuarded } from './access/guard.js';
import { ConnectionLimit } from './access/connection-limit.js';
import { answerOneAtATime } from './access/one-at-a-time.js';
import { OpenAnswers } from './access/open-answers.js';
import { closeBehindOffers, OfferedRequest } from './access/upgrade-offer.js';
import { RequestRate } from './access/request-rate.js';
import { reset } from './access/reset.js';
import { addSecurityHeaders, securityHeaders } from './access/security-headers.js';
import { createContext, type GatewayContext, type GatewayOptions } from './context.js';
import { addDocsPage, describeRoutes } from './openapi/document.js';
import { fastifyLog } from './fastify-log.js';
import { Problem, sendProblem, toProblem } from './problem.js';
import { answerQuickly } from './quick-books.js';
import { RawRefusal } from './raw-refusal.js';
import { analytics } from './rest/analytics.js';
import { audit } from './rest/audit.js';
import { books } from './rest/books.js';
import { candles } from './rest/candles.js';
import { documents } from './rest/documents.js';
import { health } from './rest/health.js';
import { logLevel } from './rest/log-level.js';
import { metrics } from './rest/metrics.js';
import { status } from './rest/status.js';
import { symbols } from './rest/symbols.js';
import { tickers } from './rest/tickers.js';
import { trades } from './rest/trades.js';
import { RouteTable } from './route-table.js';
import { addStream } from './ws/stream.js';

export type HttpOptions = GatewayOptions;

/** Pace at which requests that do not arrive are looked for. */
const CONNECTIONS_CHECK_MS = 1_000;
/** While it closes. */
const SWEEP_MS = 50;
/** Room for a percent-encoded symbol. */
const PATH_SEGMENT_LENGTH_MAX = 1024;

/**
 * Builds the REST and WebSocket server; never listens. `close()` lets answers under way finish, ends WebSocket clients
 * with 1001, and drops whoever has not gone after `closeGraceMs`. Main thread only.
 */
export async function buildHttp(options: HttpOptions): Promise<FastifyInstance> {
  const { logger } = options;
  const context = createContext(options);
  const { limits, now, refusals, trustProxy } = context;
  const rate = new RequestRate(limits.requestsPerSecond, refusals, now);
  const headers = securityHeaders(context.tls !== undefined);
  const trusts = proxyAddr.compile([...trustProxy]);
  const openAnswers = new OpenAnswers();
  const refusal = new RawRefusal(openAnswers, headers);
  const app: FastifyInstance = Fastify({
    ...serverOptions(context),
    loggerInstance: fastifyLog(logger),
    // Requests are told apart by the id that is logged with them; a logger each would cost more than reading a book.
    childLoggerFactory: (parent) => parent,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.stalledMs,
    trustProxy: trustProxy.length === 0 ? false : [...trustProxy],
    // Late requests are answered by a hook of ours, as problems.
    return503OnClosing: false,
    routerOptions: { maxParamLength: PATH_SEGMENT_LENGTH_MAX },
    frameworkErrors: (error, request, reply) => {
      // No hook runs here, so nobody else counts the request, nor ends the socket of a refused upgrade.
      if (request.headers.upgrade !== undefined) reply.raw.once('finish', () => request.raw.socket.destroySoon());
      // The `ip` of such a request knows nothing of proxies.
      const tooMany = rate.refusal(proxyAddr(request.raw, trusts));
      sendProblem(request, reply.headers(headers), tooMany ?? toProblem(error, undefined));
    },
    clientErrorHandler: (error, socket) => refusal.badHttp(error, socket),
  });
  app.setValidatorCompiler(compileValidator);
  answerWithProblems(app);
  admitConnections(app, context);
  app.server.on('timeout', (socket: Socket) => reset(socket));
  // Who has said all gets what is still to be answered. Otherwise Node ends the connection when the client ends its side. Not in its types.
  Object.assign(app.server, { httpAllowHalfOpen: true });
  app.server.on('connect', (_request, socket: Socket) => refusal.connect(socket));
  answerOneAtATime(app, limits.pipelinedRequests, refusals);
  const isClosing = refuseWhileClosing(app, limits.closeGraceMs);
  addSecurityHeaders(app, headers);
  await describeRoutes(app);
  await addStream(app, context);
  addGuard(app, context, rate);
  await addDocsPage(app);
  for (const plugin of [books, trades, tickers, candles, analytics, symbols, status, audit, health, documents, metrics, logLevel])
    await app.register(plugin, { context });
  if (!isGuarded(context)) answerQuickly(app.server, context, headers, isClosing);
  openAnswers.watch(app.server);
  closeBehindOffers(app.server);
  return app;
}

/** With a certificate the server speaks TLS only. */
function serverOptions({ limits, tls }: GatewayContext): FastifyHttpOptions<Server> {
  // Were the head allowed to take longer than the whole, Node would take one limit for the other.
  const http = { connectionsCheckingInterval: CONNECTIONS_CHECK_MS, headersTimeout: limits.requestMs, IncomingMessage: OfferedRequest };
  if (tls === undefined) return { http };
  // An HTTPS server is used as the HTTP server it contains, which its type does not say.
  return { https: { ...http, ...tls, handshakeTimeout: limits.requestMs } } as FastifyHttpOptions<Server>;
}

/** Bounds the sockets, those that still shake hands included. */
function admitConnections(app: FastifyInstance, { limits, trustProxy, refusals }: GatewayContext): void {
  const limit = new ConnectionLimit(limits, trustProxy, refusals);
  app.server.on('connection', (socket: Socket) => limit.admit(socket));
}

/**
 * Parameters are text and stay text: TypeBox' own compiler for Fastify looks for values to convert in each request, which took longer than all the
 * rest of validating it.
 */
const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const compiled = Compile(schema);
  return (value: unknown) => (compiled.Check(value) ? { value } : { error: compiled.Errors(value) });
};

/** Every error leaves as a problem document; only our own failures are logged. */
function answerWithProblems(app: FastifyInstance): void {
  const routes = new RouteTable();
  app.addHook('onRoute', ({ url, method }) => routes.add(url, Array.isArray(method) ? method : [method]));
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error, request.routeOptions.schema);
    if (problem.status === 500) request.log.error({ err: error, requestId: request.id, url: request.url }, 'request failed');
    return sendProblem(request, reply, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    const allowed = routes.methodsOf(path);
    // Below `/docs` a path may be one of ours and still lead to no file.
    if (allowed.length === 0 || allowed.includes(request.method))
      return sendProblem(request, reply, new Problem('ROUTE_NOT_FOUND', 'there is nothing at this path'));
    const detail = `${request.method} is not possible here, only ${allowed.join(', ')}`;
    const headers = { allow: allowed.join(', ') };
    return sendProblem(request, reply, new Problem('METHOD_NOT_ALLOWED', detail, { allowed }, { headers }));
  });
}

/**
 * Once closing, new requests are refused, and connections that do not end by themselves are cut after the grace time. Returns what says whether
 * it is.
 */
function refuseWhileClosing(app: FastifyInstance, graceMs: number): () => boolean {
  let closing = false;
  let cut: NodeJS.Timeout | undefined;
  let sweep: NodeJS.Timeout | undefined;
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // Hooks of every request call back: a promise each would cost more than what they do.
  app.addHook('onRequest', (_request, _reply, done) => {
    done(closing ? new Problem('SHUTTING_DOWN', 'the server is shutting down') : undefined);
  });
  app.addHook('preClose', async () => {
    closing = true;
    cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    // Node ends connections that are idle now, but not those that are once their answer under way is given.
    sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS);
  });
  app.addHook('onClose', async () => {
    clearTimeout(cut);
    clearInterval(sweep);
  });
  return () => closing;
}
