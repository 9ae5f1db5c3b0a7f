import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { asyncApi } from '../asyncapi/document.js';
import type { GatewayContext } from '../context.js';
import { NoQuery } from './query.js';

const Document = Type.Object({}, { additionalProperties: true });

/** `GET /openapi.json`: all routes, for programs; `/docs` shows the same to people. `GET /asyncapi.json`: what is said on `/ws`. */
export const documents: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app) => {
  let openapi: string | undefined;

  app.get(
    '/openapi.json',
    {
      schema: { querystring: NoQuery },
      config: {
        needs: 'open',
        docs: {
          tag: 'documents',
          summary: 'This description',
          answers: { 200: { description: 'OpenAPI 3.1', schema: Document } },
        },
      },
    },
    async (_request, reply) => {
      openapi ??= JSON.stringify(app.swagger());
      return reply.type('application/json; charset=utf-8').send(openapi);
    },
  );

  app.get(
    '/asyncapi.json',
    {
      schema: { querystring: NoQuery },
      config: {
        needs: 'open',
        docs: {
          tag: 'documents',
          summary: 'The push protocol',
          description: 'Every message of the WebSocket endpoint `/ws`.',
          answers: { 200: { description: 'AsyncAPI 3.0', schema: Document } },
        },
      },
    },
    async (request) => asyncApi(request.host, request.protocol),
  );
};
