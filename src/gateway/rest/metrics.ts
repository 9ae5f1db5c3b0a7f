import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { GatewayContext } from '../context.js';
import { MetricsPage } from '../metrics/page.js';
import { NoQuery } from './query.js';

/** `GET /metrics`: what Prometheus scrapes. */
export const metrics: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const page = new MetricsPage(context.market, context.hub);

  app.get('/metrics', { schema: { querystring: NoQuery } }, async (_request, reply) => {
    const text = await page.text();
    return reply.header('cache-control', 'no-store').type(page.contentType).send(text);
  });
};
