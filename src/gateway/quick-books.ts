import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { TrackedSymbol } from '../model/symbol.js';
import type { BookAnswer, BookRequest } from './book-answers.js';
import type { GatewayContext } from './context.js';

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** `/orderbook/SYMBOL` with no parameter or a depth alone; the symbol in letters no URL escapes. */
const TARGET = /^\/orderbook\/([A-Za-z0-9_]{1,64})(?:\?depth=([1-9][0-9]{0,2}))?$/;
const DEFAULT_DEPTH = 20;
const TARGETS_MAX = 4096;

interface Target {
  readonly name: string;
  readonly request: BookRequest;
}

/**
 * Answers the request that most clients repeat all day, `GET /orderbook/SYMBOL` with or without a depth, before Fastify sees it: its
 * routing, hooks and reply take as long as all the rest. The answer is the one of the route `/orderbook/:symbol`, header by header. Whatever is not
 * plain goes on to Fastify and is decided there: other parameters, a book that is not live or just being written, a request behind
 * another one on its connection, a body, a server that closes. Not to be used where a key or a rate has to be looked at first.
 */
export function answerQuickly(
  server: Server,
  { directory, answers }: Pick<GatewayContext, 'directory' | 'answers'>,
  headers: Readonly<Record<string, string>>,
  isClosing: () => boolean,
): void {
  const [fastify, ...others] = server.listeners('request') as RequestListener[];
  // Another version of Fastify may listen otherwise; then all requests go its way.
  if (fastify === undefined || others.length > 0) return;
  const constants = Object.entries({ ...headers, 'cache-control': 'no-cache' }).flat();
  const found = [...constants, 'content-type', 'application/json; charset=utf-8'];
  const targets = new Targets();

  const answer = (request: IncomingMessage): BookAnswer | undefined => {
    if (request.method !== 'GET' || isClosing()) return undefined;
    const { 'content-length': length, 'transfer-encoding': encoding, 'if-none-match': known } = request.headers;
    if (length !== undefined || encoding !== undefined) return undefined;
    const url = request.url!;
    const target = targets.read(url);
    const symbol: TrackedSymbol | undefined = target && directory.find(target.name);
    if (symbol === undefined) return undefined;
    targets.remember(url, target!);
    return answers.tryBook(symbol, target!.request, known);
  };

  server.off('request', fastify);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // A response has its socket once those before it are through.
    const book = response.socket === null ? undefined : answer(request);
    if (book === undefined) fastify.call(server, request, response);
    else if (book.body === null) response.writeHead(304, ['etag', book.etag, ...constants]).end();
    // All of it is ASCII: a byte a character.
    else response.writeHead(200, ['etag', book.etag, ...found, 'content-length', String(book.body.length)]).end(book.body, 'latin1');
  });
}

/** What request targets say; those of tracked symbols are remembered, since clients ask for the same books again and again. */
class Targets {
  readonly #known = new Map<string, Target>();

  /** `undefined` for those that Fastify has to look at. */
  read(url: string): Target | undefined {
    const known = this.#known.get(url);
    if (known !== undefined) return known;
    const [, name, depth] = TARGET.exec(url) ?? [];
    if (name === undefined) return undefined;
    return { name, request: { depth: depth === undefined ? DEFAULT_DEPTH : Number(depth), numbers: 'string', allowStale: false } };
  }

  remember(url: string, target: Target): void {
    if (this.#known.has(url)) return;
    if (this.#known.size === TARGETS_MAX) this.#known.clear();
    this.#known.set(url, target);
  }
}
