import type { FastifyInstance } from 'fastify';

/** A year, as browsers want it before they believe it. */
const HSTS_SECONDS = 31_536_000;

/**
 * Headers of every answer for browsers that were led here: take nothing for a script or a frame, send no address on, hand nothing to other
 * sites. They are constants and of Fastify's own kind: those of `helmet` are set on the raw response, which takes the quick way of writing
 * a head from every answer. The page at `/docs` has a content policy of its own.
 */
export function securityHeaders(tls: boolean): Readonly<Record<string, string>> {
  return {
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    ...(tls && { 'strict-transport-security': `max-age=${HSTS_SECONDS}` }),
  };
}

/** Sets them before anything else may answer. */
export function addSecurityHeaders(app: FastifyInstance, headers: Readonly<Record<string, string>>): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}
