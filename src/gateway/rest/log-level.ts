import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { LOG_LEVELS } from '../../support/config/index.js';
import type { GatewayContext } from '../context.js';
import type { RouteDocs } from '../openapi/route-docs.js';
import { NoQuery } from './query.js';

const Level = Type.Enum([...LOG_LEVELS], { description: `one of ${LOG_LEVELS.join(', ')}` });
const LogLevel = Type.Object({ level: Level }, { $id: 'LogLevel', description: 'The least severity that is logged.' });
const LevelQuery = Type.Object({ level: Level }, { additionalProperties: false });

const example = { level: 'info' };
const readDocs: RouteDocs = {
  tag: 'engine',
  summary: 'What is logged',
  answers: { 200: { description: 'the least severity', schema: LogLevel, example } },
};
const changeDocs: RouteDocs = {
  tag: 'engine',
  summary: 'Changes what is logged',
  description: 'From now on, for the whole process; the next start begins with what is configured.',
  answers: { 200: { description: 'the least severity now', schema: LogLevel, example: { level: 'debug' } } },
  problems: ['ORIGIN_NOT_ALLOWED', 'BODY_TOO_LARGE', 'MEDIA_TYPE_NOT_SUPPORTED'],
};

/** `GET /log-level` and `PUT /log-level?level=debug`: the one logger of the process, while it runs. */
export const logLevel: FastifyPluginAsyncTypebox<{ context: GatewayContext }> = async (app, { context }) => {
  const { logger } = context;

  app.get('/log-level', { schema: { querystring: NoQuery }, config: { docs: readDocs } }, async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return { level: logger.level };
  });

  app.put('/log-level', { schema: { querystring: LevelQuery }, config: { docs: changeDocs, needs: 'admin' } }, async (request, reply) => {
    const { level } = request.query;
    const change = { from: logger.level, to: level };
    // Said once, at whichever of the two levels lets it through.
    const toldBefore = logger.isLevelEnabled('info');
    if (toldBefore) logger.info(change, 'log level changed');
    logger.level = level;
    if (!toldBefore) logger.info(change, 'log level changed');
    reply.header('cache-control', 'no-store');
    return { level: logger.level };
  });
};
