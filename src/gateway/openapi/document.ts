import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { packageVersion, type Right } from '../../support/config/index.js';
import { ErrorCode } from '../../support/errors.js';
import { kinds, type ProblemCode } from '../problem.js';
import { Components } from './components.js';
import { problemSchema } from './problem-schemas.js';
import { type AnswerDocs, type RouteDocs, tags } from './route-docs.js';

type Json = Record<string, unknown>;
type Needs = Right | 'open';

/** What is told of a route beyond its parameters. */
interface Described {
  readonly docs: RouteDocs;
  readonly needs: Needs;
}

/** What any route may answer. */
const EVERYWHERE: readonly ProblemCode[] = [
  ErrorCode.BAD_PARAMETER,
  ErrorCode.BAD_REQUEST,
  ErrorCode.INTERNAL_ERROR,
  ErrorCode.SHUTTING_DOWN,
  ErrorCode.RATE_LIMITED,
];

/** What a route may answer to somebody without the right it needs. */
const OF_KEYS: Readonly<Record<Needs, readonly ProblemCode[]>> = {
  open: [],
  read: [ErrorCode.KEY_REQUIRED, ErrorCode.KEY_UNKNOWN],
  admin: [ErrorCode.KEY_REQUIRED, ErrorCode.KEY_UNKNOWN, ErrorCode.RIGHT_MISSING],
};

/** Where a key may be, when the engine has any: one of them is enough. */
const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key, where the engine is configured with any.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key in a header of its own.' },
};
/** The first, empty one: an engine without keys asks for none. */
const SECURITY = [{}, { bearer: [] }, { apiKey: [] }];

const DESCRIPTION = `Exact copies of MEXC spot order books and what goes with them.

Prices and quantities are decimal text unless \`numbers=float\` is asked for. Times are Unix ms. What is not known is \`null\`.
Unknown query parameters are refused. Every refusal is \`application/problem+json\` with a stable \`code\`; a path that does not exist is 404
\`ROUTE_NOT_FOUND\`, a method that is not possible 405 \`METHOD_NOT_ALLOWED\`.
Where keys are configured, all but \`/health\` and these descriptions needs one, and what changes the engine one with the right \`admin\`. The push protocol at \`/ws\` is described by
\`/asyncapi.json\`.`;

/** Nothing is loaded from anywhere else; Swagger UI sets styles of its own on elements. */
const CONTENT_SECURITY = {
  'default-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'base-uri': ["'self'"],
  'frame-ancestors': ["'self'"],
};

/**
 * Describes all routes in one document, OpenAPI 3.1, that `app.swagger()` gives once the app is ready. To be called before any route is
 * added; the document is made when it is first asked for, or by `writeDocuments`.
 */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  const described = new Map<string, Described>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'market-data-processor',
        version: packageVersion(),
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'this process' }],
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    },
    stripBasePath: false,
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => {
      const { docs, needs = 'read' } = route.config ?? {};
      for (const method of [route.method].flat()) if (docs !== undefined) described.set(`${method} ${toTemplate(url)}`, { docs, needs });
      if (docs === undefined) return { schema, url };
      const { tag, summary, description } = docs;
      return { schema: { ...schema, tags: [tag], summary, ...(description !== undefined && { description }) }, url };
    },
    transformObject: (given) => {
      const document = (given as { readonly openapiObject: Json }).openapiObject;
      return complete(document, described);
    },
  });
}

/** Makes the documents that the gateway hands out, once it is ready. Who asks for the first one would hold up the market data for 100 ms. */
export function writeDocuments(app: FastifyInstance): void {
  app.swagger();
  app.swagger({ yaml: true });
}

/** Adds `/docs`: the document as a page to read, from which requests can be made. */
export async function addDocsPage(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CONTENT_SECURITY,
    theme: { title: 'market-data-processor' },
    logo: { type: 'image/svg+xml', content: '<svg xmlns="http://www.w3.org/2000/svg"/>' },
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true, displayRequestDuration: true },
  });
}

/** Swagger knows paths and parameters; answers, refusals and the shared schemas are added here. */
function complete(document: Json, described: ReadonlyMap<string, Described>): Json {
  const components = new Components();
  const paths = document['paths'] as Record<string, Record<string, Json>>;
  for (const [url, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      operation['operationId'] = operationId(method, url);
      const parameters = operation['parameters'] as readonly Json[] | undefined;
      if (parameters !== undefined) operation['parameters'] = parameters.map((parameter) => components.take(parameter as never));
      const known = described.get(`${method.toUpperCase()} ${url}`);
      if (known === undefined) continue;
      operation['responses'] = responses(known, components);
      operation['security'] = known.needs === 'open' ? [] : SECURITY;
    }
  }
  for (const code of Object.keys(kinds) as ProblemCode[]) components.take(problemSchema(code));
  const schemas = Object.entries(components.schemas).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...document, components: { schemas: Object.fromEntries(schemas), securitySchemes: SECURITY_SCHEMES } };
}

function responses({ docs, needs }: Described, components: Components): Json {
  const result: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(docs.answers)) result[status] = response(answer, components);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set([...(docs.problems ?? []), ...OF_KEYS[needs], ...EVERYWHERE])) {
    const { status } = kinds[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  for (const [status, codes] of byStatus) result[status] = refusal(codes, components);
  return result;
}

function response({ description, schema, mediaType = 'application/json', example, headers }: AnswerDocs, components: Components): Json {
  return {
    description,
    ...(headers !== undefined && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, meaning]) => [name, { description: meaning, schema: { type: 'string' } }]),
      ),
    }),
    ...(schema !== undefined && {
      content: { [mediaType]: { schema: components.take(schema), ...(example !== undefined && { example }) } },
    }),
  };
}

function refusal(codes: readonly ProblemCode[], components: Components): Json {
  const schemas = codes.map((code) => components.take(problemSchema(code)));
  const retry = codes.some((code) => 'retryAfterSeconds' in kinds[code]);
  return {
    description: codes.map((code) => `\`${code}\`: ${kinds[code].title.toLowerCase()}`).join('; '),
    ...(retry && { headers: { 'retry-after': { description: 'seconds to wait before asking again', schema: { type: 'string' } } } }),
    content: { 'application/problem+json': { schema: schemas.length === 1 ? schemas[0] : { oneOf: schemas } } },
  };
}

/** `/orderbook/:symbol` → `/orderbook/{symbol}` */
function toTemplate(url: string): string {
  return url.replace(/:([A-Za-z]+)/g, '{$1}');
}

/** `get /orderbook/{symbol}` → `getOrderbookBySymbol` */
function operationId(method: string, url: string): string {
  const words = url.split('/').map((part) => part.replace(/^\{(.*)\}$/, 'by-$1').replace(/[^A-Za-z-]+/g, '-'));
  return method + words.map((word) => word.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())).join('');
}
