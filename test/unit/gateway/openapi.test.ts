import { Validator } from '@seriousme/openapi-schema-validator';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildHttp } from '../../../src/gateway/http.js';
import { Components } from '../../../src/gateway/openapi/components.js';
import { kinds, type ProblemCode } from '../../../src/gateway/problem.js';
import { Type } from '@fastify/type-provider-typebox';
import { BookState } from '../../../src/model/book-state.js';
import { PublicationHub } from '../../../src/publish/publication-hub.js';
import { FakeMarketData, FakePort, shardStatus } from '../../support/fake-market-data.js';
import { offences } from '../../support/document-schema.js';

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: unknown; readonly example?: unknown }>> }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

const market = new FakeMarketData();
let app: FastifyInstance;
let document: Document;
let operations: readonly (readonly [string, Operation])[];

beforeAll(async () => {
  app = await buildHttp({
    market,
    hub: new PublicationHub(new FakePort()),
    logger: pino({ level: 'silent' }),
    closeGraceMs: 100,
    clients: 0,
  });
  document = (await app.inject('/openapi.json')).json<Document>();
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );
});
afterAll(() => app.close());

describe('the document', () => {
  it('is OpenAPI 3.1 to a validator that is not ours', async () => {
    const validator = new Validator();
    // It takes the document apart, so it gets a copy.
    expect(await validator.validate(structuredClone(document) as never)).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('describes every route: group, summary, what is answered', () => {
    const names = operations.map(([name]) => name);
    for (const route of ['GET /orderbook/{symbol}', 'POST /symbols/{symbol}', 'GET /ws', 'GET /openapi.json'])
      expect(names).toContain(route);
    const known = new Set(document.tags.map(({ name }) => name));
    const undescribed = operations.filter(
      ([, { summary, tags, responses }]) =>
        !summary || !known.has(tags?.[0] ?? '') || !Object.keys(responses).some((status) => status < '400'),
    );
    expect(undescribed.map(([name]) => name)).toEqual([]);
    expect(new Set(operations.map(([, { operationId }]) => operationId)).size).toBe(operations.length);
  });

  it('holds the problem document of every code, and uses the ones of each route', () => {
    for (const code of Object.keys(kinds)) expect(document.components.schemas).toHaveProperty([`Problem.${code}`]);
    for (const [name, { responses }] of operations) {
      expect([name, Object.keys(responses)]).toEqual([name, expect.arrayContaining(['400', '500', '503'])]);
    }
  });

  it('gives examples that are what they stand for', () => {
    let seen = 0;
    for (const [name, { responses }] of operations) {
      for (const { content = {} } of Object.values(responses)) {
        for (const { schema, example } of Object.values(content)) {
          if (example === undefined) continue;
          expect([name, offences(document, schema, example)]).toEqual([name, []]);
          seen++;
        }
      }
    }
    expect(seen).toBeGreaterThan(8);
  });
});

describe('problem documents', () => {
  const situations: readonly [ProblemCode, string, string, (() => void)?][] = [
    ['BAD_PARAMETER', 'GET', '/orderbook/BTCUSDT?depth=0'],
    ['BAD_PARAMETER', 'GET', '/orderbook/BTCUSDT?deep=1'],
    ['BAD_PARAMETER', 'GET', '/orderbooks'],
    ['BAD_REQUEST', 'GET', '/orderbook/%'],
    ['ROUTE_NOT_FOUND', 'GET', '/nothing'],
    ['METHOD_NOT_ALLOWED', 'PUT', '/bbo'],
    ['SYMBOL_NOT_TRACKED', 'GET', '/status/BTCUSDX', () => market.addLive('BTCUSDT')],
    ['SYMBOL_NOT_LISTED', 'POST', '/symbols/NOPE'],
    ['UPGRADE_REQUIRED', 'GET', '/ws'],
    ['BOOK_NOT_LIVE', 'GET', '/orderbook/ETHUSDT', () => Object.assign(market.addLive('ETHUSDT'), { state: BookState.STALE })],
    ['BOOK_BUSY', 'GET', '/orderbook/SOLUSDT', () => Object.assign(market.addLive('SOLUSDT'), { busyReads: 1000 })],
    ['NOT_READY', 'GET', '/health/ready', () => (market.shards = [shardStatus(0, 'restarting')])],
    ['SYMBOL_CAPACITY_REACHED', 'POST', '/symbols/XRPUSDT', () => [market.listed.add('XRPUSDT'), (market.capacity = 0)]],
  ];

  it.each(situations)('%s of %s %s is as described', async (code, method, url, prepare) => {
    prepare?.();
    const answer = await app.inject({ method: method as 'GET', url });
    const body = answer.json<{ code: string; status: number }>();
    expect(body.code).toBe(code);
    expect(offences(document, { $ref: `#/components/schemas/Problem.${code}` }, body)).toEqual([]);
    const template = new URL(url.replace('%', ''), 'http://x').pathname.replace(/^(\/(?:orderbook|status|symbols))\/.+/, '$1/{symbol}');
    const responses = document.paths[template]?.[method.toLowerCase()]?.responses;
    if (responses !== undefined) expect(JSON.stringify(responses[body.status])).toContain(`Problem.${code}`);
  });
});

describe('the page', () => {
  it('comes whole from this process', async () => {
    const page = await app.inject('/docs');
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!);
    expect(parts.length).toBeGreaterThan(4);
    for (const url of parts) expect([url, (await app.inject(url)).statusCode]).toEqual([url, 200]);
    // Shows the same document.
    expect((await app.inject('/docs/json')).json()).toEqual(document);
  });

  it('has a problem document for a file that does not exist', async () => {
    const answer = await app.inject('/docs/static/nothing.js');
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'ROUTE_NOT_FOUND']);
  });
});

describe('named parts', () => {
  const Inner = Type.Object({ a: Type.Union([Type.Literal('x'), Type.Literal('y')]) }, { $id: 'Inner' });

  it('are described once and referred to', () => {
    const components = new Components();
    const taken = components.take(Type.Object({ one: Inner, many: Type.Array(Inner), none: Type.Union([Inner, Type.Null()]) }));
    const ref = { $ref: '#/components/schemas/Inner' };
    expect(taken).toEqual({
      type: 'object',
      required: ['one', 'many', 'none'],
      properties: { one: ref, many: { type: 'array', items: ref }, none: { anyOf: [ref, { type: 'null' }] } },
    });
    expect(components.schemas).toEqual({
      Inner: { type: 'object', required: ['a'], properties: { a: { type: 'string', enum: ['x', 'y'] } } },
    });
  });

  it('must not share a name with another', () => {
    const components = new Components();
    components.take(Inner);
    expect(() => components.take(Type.Object({}, { $id: 'Inner' }))).toThrow('two schemas are called Inner');
  });
});
