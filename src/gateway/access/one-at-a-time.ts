import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Refusals } from './refusals.js';

/**
 * Requests of one connection are answered one at a time, in order, however many a client writes at once. Node would hand all that one read
 * brings to their handlers together, and keep all the answers: 64 KiB of small requests for a whole book are hundreds of megabytes
 * for a client that does not read. So a request behind another waits until it is its turn to write; then nothing of it is known but
 * its head. Beyond `waitingMax` of them the connection is dropped.
 */
export function answerOneAtATime(app: FastifyInstance, waitingMax: number, refusals: Refusals): void {
  const waiting = new WeakMap<Socket, number>();
  app.addHook('onRequest', (request, reply, done) => {
    // A response gets its socket when those before it are through.
    if (reply.raw.socket !== null) return done();
    const { socket } = request.raw;
    if (socket.destroyed) return;
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    if (count > waitingMax) {
      refusals.counts.pipeline++;
      socket.destroy();
      return;
    }
    // When the connection ends first nobody calls, and nothing is left that could.
    reply.raw.once('socket', () => {
      waiting.set(socket, waiting.get(socket)! - 1);
      done();
    });
  });
}
