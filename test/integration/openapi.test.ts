import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Engine } from '../../src/engine.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { offences, type SchemaDocument } from '../support/document-schema.js';
import { startEngine } from '../support/engine.js';
import { PushClient } from '../support/push-client.js';
import { until } from '../support/until.js';

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: unknown }>>;
}
interface Document extends SchemaDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Response>> }>>>>;
}

let sim: Simulator;
let engine: Engine;
let client: PushClient;
let document: Document;
let tracked: string;
let spare: string;

beforeAll(async () => {
  sim = await startSimulator({ symbols: 3, rate: 8, seed: 31 });
  const [first, second, third] = sim.symbols as [string, string, string];
  tracked = first;
  spare = third;
  engine = await startEngine(sim, { symbols: { kind: 'list', symbols: [first, second] }, workers: 1, audit: 100 });
  client = await PushClient.connect(engine.wsUrl);
  const followers = await client.follow([first, second], 5, 0);
  await until(() => followers.every(({ live }) => live), { what: 'live books' });
  const isAudited = (): boolean => engine.market.audits(engine.market.find(first)!).last !== null;
  await until(isAudited, { what: 'an audit' });
  document = (await (await fetch(`${engine.url}/openapi.json`)).json()) as Document;
});
afterAll(async () => {
  client?.close();
  await engine?.close();
  await sim?.close();
});

/** Requests to every route, at least one for each kind of success it is described with. `METHOD /path`, status, query. */
const requests: Readonly<Record<string, readonly (readonly [status: number, query?: string])[]>> = {
  'GET /orderbook/{symbol}': [[200], [200, '?depth=full'], [200, '?depth=3&numbers=float&allowStale=true'], [304], [404]],
  'GET /orderbooks': [[200, '?symbols=*,NOPE&depth=2'], [400]],
  'GET /bbo': [[200], [200, '?symbols=*&numbers=float'], [404, '?symbols=NOPE']],
  'GET /candles/{symbol}': [[200], [200, '?interval=1M&limit=3'], [400, '?interval=60m'], [404]],
  'GET /analytics/{symbol}': [[200], [200, '?depth=full&bps=1,10000&numbers=float'], [404]],
  'GET /orderbook/{symbol}/depth': [[200], [200, '?bps=5&numbers=float'], [404]],
  'GET /orderbook/{symbol}/slippage': [
    [200, '?side=buy&size=0.001'],
    [200, '?side=sell&notional=100&ref=best'],
    [200, '?side=sell&size=1000000000000'],
    [400, '?side=buy'],
  ],
  'GET /ticker/{symbol}': [[200], [200, '?numbers=float'], [404]],
  'GET /tickers': [[200], [200, '?symbols=*&numbers=float'], [404, '?symbols=NOPE'], [400, '?symbols=,']],
  'GET /trades/{symbol}': [[200], [200, '?limit=3'], [304], [404], [400, '?limit=0']],
  'GET /symbols': [[200]],
  'GET /symbols/{symbol}': [[200], [404]],
  'POST /symbols/{symbol}': [[201], [200], [404]],
  'DELETE /symbols/{symbol}': [[204], [404]],
  'GET /status': [[200]],
  'GET /status/{symbol}': [[200], [404]],
  'GET /audit/{symbol}': [[200], [404]],
  'GET /health/live': [[200]],
  'GET /health/ready': [[200]],
  'GET /openapi.json': [[200], [400, '?x=1']],
  'GET /asyncapi.json': [[200]],
  'GET /metrics': [[200]],
  'GET /log-level': [[200]],
  'PUT /log-level': [
    [200, '?level=silent'],
    [400, '?level=loud'],
  ],
  'GET /ws': [[426]],
};

async function ask(operation: string, status: number, query: string) {
  const [method, path] = operation.split(' ') as [string, string];
  const symbol = status === 404 ? 'NOPE' : operation.startsWith('POST') || operation.startsWith('DELETE') ? spare : tracked;
  const url = `${engine.url}${path.replace('{symbol}', symbol)}${query.replace('*', tracked)}`;
  const headers: Record<string, string> = status === 304 ? { 'if-none-match': '*' } : {};
  return fetch(url, { method, headers });
}

/** Without its parameters. */
const mediaType = (contentType: string): string => contentType.split(';', 1)[0]!;

it('every route answers as it is described, to the last field', async () => {
  const wrong: unknown[] = [];
  for (const [operation, variants] of Object.entries(requests)) {
    const [method, path] = operation.split(' ') as [string, string];
    const responses = document.paths[path]?.[method.toLowerCase()]?.responses;
    for (const [status, query = ''] of variants) {
      const answer = await ask(operation, status, query);
      const text = await answer.text();
      expect([operation, query, answer.status, text]).toEqual([operation, query, status, text]);
      const { content } = responses?.[status] ?? {};
      if (content === undefined) {
        expect([operation, status, text]).toEqual([operation, status, '']);
        continue;
      }
      const type = mediaType(answer.headers.get('content-type')!);
      const described = Object.entries(content).find(([name]) => mediaType(name) === type)?.[1];
      const found = type.endsWith('json') ? offences(document, described?.schema, JSON.parse(text)) : [];
      if (described === undefined || found.length > 0) wrong.push({ operation, query, type, found, text: text.slice(0, 300) });
    }
  }
  expect(wrong).toEqual([]);
});

it('no described success is left untried', () => {
  const missing = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) => {
      const operation = `${method.toUpperCase()} ${path}`;
      const tried = requests[operation]?.map(([status]) => status) ?? [];
      // 101 is what the tests of the push protocol get.
      return Object.keys(responses)
        .map(Number)
        .filter((status) => status >= 200 && status < 400 && !tried.includes(status))
        .map((status) => `${operation} ${status}`);
    }),
  );
  expect(missing).toEqual([]);
});
