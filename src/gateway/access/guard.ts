import type { FastifyInstance } from 'fastify';
import type { Right } from '../../support/config/index.js';
import type { GatewayContext } from '../context.js';
import { Problem } from '../problem.js';
import { changeRefusal } from './page-rule.js';
import type { RequestRate } from './request-rate.js';
import { shownKey } from './shown-key.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a client must be allowed to: `read` unless said otherwise; `open` is for everybody, as it tells nothing of the market. */
    readonly needs?: Right | 'open';
  }
}

/** Whether there is anything to look at before a request is answered. */
export function isGuarded({ keys, limits }: Pick<GatewayContext, 'keys' | 'limits'>): boolean {
  return keys.required || limits.requestsPerSecond !== Infinity;
}

/**
 * Lets requests through to the handlers: first by the rate of their address, then by their key. Nothing is added where neither a rate nor
 * keys are configured, but that pages of others change nothing. Goes for WebSocket handshakes and for paths that do not exist as well.
 */
export function addGuard(app: FastifyInstance, context: GatewayContext, rate: RequestRate): void {
  const { keys, limits, refusals, logger } = context;
  // First of all, so that what is refused for another reason counts too.
  if (limits.requestsPerSecond !== Infinity) app.addHook('onRequest', (request, _reply, done) => done(rate.refusal(request.ip)));
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.needs !== 'admin') return done();
    const refusal = changeRefusal(request.headers, context);
    if (refusal === undefined) return done();
    refusals.counts.origin++;
    done(new Problem('ORIGIN_NOT_ALLOWED', refusal));
  });
  if (!keys.required) return;
  app.addHook('onRequest', (request, _reply, done) => {
    const { config, url } = request.routeOptions;
    // The files of the page at `/docs` are routes of the package it comes from.
    const needs = config.needs ?? (url !== undefined && /^\/docs(?:\/|$)/.test(url) ? 'open' : 'read');
    if (needs === 'open') return done();
    try {
      const name = keys.admit(shownKey(request.headers), needs);
      if (needs === 'admin') logger.info({ key: name, method: request.method, url: request.url }, 'change asked for');
      done();
    } catch (error) {
      refusals.counts[(error as Problem).code === 'RIGHT_MISSING' ? 'right' : 'key']++;
      done(error as Problem);
    }
  });
}
