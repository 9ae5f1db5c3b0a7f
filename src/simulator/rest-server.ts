import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { CodedError } from '../support/errors.js';
import type { FaultInjector } from './fault-injector.js';
import { parseFaults } from './faults.js';
import type { SimulatorLimits } from './limits.js';
import type { Market, MarketSymbol } from './market.js';
import {
  brokenGateway,
  errorAnswer,
  firewallPage,
  invalidSymbol,
  jsonAnswer,
  type RestAnswer,
  textAnswer,
  tooManyRequests,
} from './rest-answer.js';
import type { RestBudget } from './rest-budget.js';
import { requestedLimit, requestedSymbol, type RestRoute, restRoutes } from './rest-routes.js';
import { depthView, trueBookView, trueTradesView } from './rest-views.js';

/** On every answer, so that nobody takes simulated data for real. */
const SIMULATED_HEADER = { 'x-simulated-exchange': 'market-data-processor' } as const;

const API_PREFIX = '/api/v3/';
/** There are no futures here. An empty list lets clients start that always ask for both listings. */
const FUTURES_LISTING = '/api/v1/contract/detail';
const noFutures = jsonAnswer({ success: true, code: 0, data: [] });
const DEPTH_LIMIT = 100;
const DEPTH_LIMIT_MAX = 5_000;
const FAULTS_BYTES_MAX = 1024 * 1024;
const notFound = errorAnswer(404, 404, 'Not Found');
const methodNotAllowed = errorAnswer(405, 405, 'Method Not Allowed');

export interface RestServerParts {
  readonly market: Market;
  readonly faults: FaultInjector;
  readonly budget: RestBudget;
  readonly limits: SimulatorLimits;
  readonly status: () => unknown;
  readonly logger: Logger | undefined;
}

/**
 * The exchange's REST market data under `/api/v3`, and beside it, without limits and faults, the simulator's own pages: `GET /sim/book/:symbol`
 * (the true book), `GET /sim/digests`, `GET /sim/status`, `POST /sim/faults` (a fault or a list of faults).
 */
export class RestServer {
  readonly #parts: RestServerParts;
  readonly #delays = new Set<NodeJS.Timeout>();
  #requests = 0;
  #depthRequests = 0;

  constructor(parts: RestServerParts) {
    this.#parts = parts;
  }

  get requests(): number {
    return this.#requests;
  }

  get depthRequests(): number {
    return this.#depthRequests;
  }

  /** Listener of an HTTP server's `request`. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#requests++;
    this.#answer(request, response).catch((error: unknown) => {
      this.#parts.logger?.error({ err: error, url: request.url }, 'request failed');
      if (!response.headersSent) send(response, errorAnswer(500, 500, 'internal error'));
    });
  };

  close(): void {
    for (const timer of this.#delays) clearTimeout(timer);
    this.#delays.clear();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/api/v3/depth') this.#depthRequests++;
    if (url.pathname.startsWith('/sim/')) {
      send(response, await this.#simulatorPage(request, url.pathname, url.searchParams));
      return;
    }
    if (!url.pathname.startsWith(API_PREFIX)) {
      send(response, url.pathname === FUTURES_LISTING ? noFutures : notFound);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, methodNotAllowed);
      return;
    }
    this.#apiAnswer(request, response, url);
  }

  #apiAnswer(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const endpoint = url.pathname.slice(API_PREFIX.length);
    const query = url.searchParams;
    const route = Object.hasOwn(restRoutes, endpoint) ? restRoutes[endpoint] : undefined;
    if (route === undefined && endpoint !== 'depth') {
      send(response, notFound);
      return;
    }
    const refusal = this.#refusal(request, endpoint, query, route);
    if (refusal !== undefined) send(response, refusal);
    else if (route !== undefined) this.#sendOther(response, endpoint, query, route);
    else this.#sendDepth(response, query);
  }

  #sendOther(response: ServerResponse, endpoint: string, query: URLSearchParams, route: RestRoute): void {
    const { market } = this.#parts;
    const answer = route.answer(market, query, market.nowMs());
    // Before it is sent: what is played afterwards is not in it.
    const symbol = query.get('symbol');
    if (endpoint === 'trades' && symbol !== null && !response.destroyed) market.tradesAnswered(symbol);
    send(response, answer);
  }

  #refusal(request: IncomingMessage, endpoint: string, query: URLSearchParams, route: RestRoute | undefined): RestAnswer | undefined {
    const failure = this.#parts.faults.restFailure(query.get('symbol'));
    switch (failure?.action) {
      case 'rest429':
        return tooManyRequests(failure.retryAfterSeconds ?? 1);
      case 'rest403':
        return firewallPage;
      case 'rest5xx':
        return brokenGateway(failure.status ?? 502);
      default:
        return this.#parts.budget.charge(request.socket.remoteAddress ?? '', endpoint, route?.weight(query) ?? 1, Date.now());
    }
  }

  #sendDepth(response: ServerResponse, query: URLSearchParams): void {
    const { market, faults, limits } = this.#parts;
    const symbol = requestedSymbol(market, query);
    const limit = requestedLimit(query, DEPTH_LIMIT, DEPTH_LIMIT_MAX);
    if ('status' in symbol) return send(response, symbol);
    if (typeof limit !== 'number') return send(response, limit);
    const { symbol: name } = symbol.listing;
    const { delayMs, pushesOld } = faults.snapshot(name);
    const answer = depthAnswer(symbol, Math.min(limit, limits.depthLevelsMax), pushesOld);
    const finish = (): void => {
      // A client that has given up did not get it.
      if (!response.destroyed) market.depthAnswered(name);
      send(response, answer);
    };
    if (delayMs === 0) return finish();
    const timer = setTimeout(() => {
      this.#delays.delete(timer);
      finish();
    }, delayMs);
    this.#delays.add(timer);
  }

  async #simulatorPage(request: IncomingMessage, path: string, query: URLSearchParams): Promise<RestAnswer> {
    const { market, faults, status } = this.#parts;
    if (path === '/sim/status') return jsonAnswer(status());
    if (path === '/sim/faults') {
      if (request.method !== 'POST') return methodNotAllowed;
      try {
        const specs = parseFaults(JSON.parse(await readBody(request)));
        for (const spec of specs) faults.add(spec);
        return jsonAnswer({ added: specs.length });
      } catch (error) {
        if (error instanceof CodedError) return jsonAnswer({ code: error.code, msg: error.message, ...error.details }, 400);
        if (error instanceof SyntaxError) return jsonAnswer({ code: 'CONFIG_INVALID', msg: `not JSON: ${error.message}` }, 400);
        throw error;
      }
    }
    if (path === '/sim/digests') {
      const after = Number(query.get('after') ?? '0');
      const digests = market.digests();
      if (digests === undefined || !(Number.isSafeInteger(after) && after >= 0)) return notFound;
      return jsonAnswer(digests.since(after));
    }
    if (path.startsWith('/sim/book/')) {
      const symbol = market.find(decodeName(path.slice('/sim/book/'.length)));
      const book = symbol?.book();
      return symbol === undefined || book === undefined ? invalidSymbol : jsonAnswer(trueBookView(symbol, book));
    }
    if (path.startsWith('/sim/trades/')) {
      const symbol = market.find(decodeName(path.slice('/sim/trades/'.length)));
      return symbol === undefined ? invalidSymbol : jsonAnswer(trueTradesView(symbol));
    }
    return notFound;
  }
}

function depthAnswer(symbol: MarketSymbol, limit: number, pushesOld: number): RestAnswer {
  const recorded = pushesOld === 0 ? symbol.recordedDepth(limit) : undefined;
  if (recorded !== undefined) return textAnswer(recorded);
  const book = pushesOld === 0 ? symbol.book() : symbol.bookBefore(pushesOld);
  if (book === undefined) return errorAnswer(503, 503, 'service not available: the recording has no snapshot of this symbol');
  return jsonAnswer(depthView(symbol, book, limit, Date.now()));
}

function send(response: ServerResponse, answer: RestAnswer): void {
  if (response.destroyed) return;
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, {
    ...SIMULATED_HEADER,
    'content-type': answer.contentType,
    'content-length': body.length,
    ...answer.headers,
  });
  response.end(body);
}

/** A percent-encoded path part; text that is not well encoded is taken as it is, and will name no symbol. */
function decodeName(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > FAULTS_BYTES_MAX) throw new SyntaxError('more than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
