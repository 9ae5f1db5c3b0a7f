import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { GatewayContext } from '../context.js';
import { MetricsPage } from '../metrics/page.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { NoQuery } from './query.js';

const docs: RouteDocs = {
  tag: 'engine',
  summary: 'A page for Prometheus',
  answers: {
    200: {
      description: 'all metrics, in the text format of Prometheus',
      mediaType: 'text/plain; version=0.0.4; charset=utf-8',
      schema: Type.String(),
      example: '# HELP mdp_clients WebSocket clients.\n# TYPE mdp_clients gauge\nmdp_clients 3\n',
    },
  },
};

/** `GET /metrics`: what Prometheus scrapes. */
export const metrics: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const page = new MetricsPage(context);

  app.get('/metrics', { schema: { querystring: NoQuery }, config: { docs } }, async (_request, reply) => {
    const text = await page.text();
    return reply.header('cache-control', 'no-store').type(page.contentType).send(text);
  });
};
