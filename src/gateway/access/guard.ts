import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import type { Right } from '../../support/config/index.js';
import type { GatewayContext } from '../context.js';
import { Problem } from '../problem.js';
import { changeRefusal } from './page-rule.js';
import { shownKey } from './shown-key.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a client must be allowed to: `read` unless said otherwise; `open` is for everybody, as it tells nothing of the market. */
    readonly needs?: Right | 'open';
  }
}

/** Addresses the request rate is kept of; the one not seen for longest is forgotten. */
const ADDRESSES_MAX = 10_000;

/** Whether there is anything to look at before a request is answered. */
export function isGuarded({ keys, limits }: Pick<GatewayContext, 'keys' | 'limits'>): boolean {
  return keys.required || limits.requestsPerSecond !== Infinity;
}

/**
 * Lets requests through to the handlers: first by the rate of their address, then by their key. Nothing is added where neither a rate nor
 * keys are configured, but that pages of others change nothing. Goes for WebSocket handshakes and for paths that do not exist as well.
 */
export async function addGuard(app: FastifyInstance, context: GatewayContext): Promise<void> {
  const { keys, limits, refusals, logger } = context;
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.needs !== 'admin') return done();
    const refusal = changeRefusal(request.headers, context);
    if (refusal === undefined) return done();
    refusals.counts.origin++;
    done(new Problem('ORIGIN_NOT_ALLOWED', refusal));
  });
  if (limits.requestsPerSecond !== Infinity) {
    await app.register(rateLimit, { global: false, cache: ADDRESSES_MAX });
    const take = app.createRateLimit({ max: limits.requestsPerSecond, timeWindow: 1000 });
    app.addHook('onRequest', async (request) => {
      const verdict = await take(request);
      if (verdict.isAllowed || !verdict.isExceeded) return;
      refusals.counts.rate++;
      throw new Problem('RATE_LIMITED', `more than ${limits.requestsPerSecond} requests in a second from this address`);
    });
  }
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
