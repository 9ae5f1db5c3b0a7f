import type { FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';

/**
 * The engine's logger as Fastify gets it. Whoever asks for a child gets the same one, so that a change of level reaches every line; and
 * `info` says nothing: all it would say is the address it listens on, which whoever starts the engine says once.
 */
export function fastifyLog(logger: Logger): FastifyBaseLogger {
  // What it does not have itself is looked up in the logger, at the level of that moment.
  const log = Object.create(logger, { child: { value: () => log }, info: { value: () => {} } }) as FastifyBaseLogger;
  return log;
}
