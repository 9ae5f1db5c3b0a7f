import { setTimeout as wait } from 'node:timers/promises';
import type { Bench } from '../support/bench.js';
import { Peer } from '../support/peer.js';
import { processMs } from '../support/processor-time.js';
import { median } from '../support/statistics.js';
import { formatTable } from '../support/table.js';
import { inTurn } from '../support/turns.js';
import { CHANNELS, MESSAGE_BYTES, MESSAGES_PER_TURN, STREAMS } from './messages.js';

/** A server under test and its clients. */
class Streams {
  readonly #server: Peer;
  readonly #clients = new Peer(new URL('./clients.process.js', import.meta.url));
  #messages = 0;

  constructor(server: Peer) {
    this.#server = server;
  }

  async start(): Promise<void> {
    await this.#clients.call('connect', { address: await this.#server.call<string>('start') });
    while ((await this.#server.call<number>('streams')) < STREAMS) await wait(20);
  }

  /** Deliveries a second of the server's processor time. */
  async round(turns: number): Promise<number> {
    const deliveries = turns * MESSAGES_PER_TURN * STREAMS;
    this.#messages += deliveries;
    const before = processMs(this.#server.pid);
    await this.#server.call('turns', { turns });
    const spentMs = processMs(this.#server.pid) - before;
    await this.#clients.call('received', { messages: this.#messages });
    return (deliveries * 1000) / spentMs;
  }

  async stop(): Promise<void> {
    await this.#clients.stop();
    await this.#server.stop();
  }
}

/** From the shards' messages to gRPC streams. */
export const grpc: Bench = {
  title: 'gRPC book stream, beside grpc-js that sends a constant buffer of the same size',
  help: `
  --pairs N        counted pairs of rounds (default 5)
  --turns N        turns of one round (default 200)`,
  options: { pairs: { type: 'string', default: '5' }, turns: { type: 'string', default: '200' } },
  async run(values, print) {
    const turns = values.count('turns');
    const engine = new Streams(new Peer(new URL('./engine.process.js', import.meta.url)));
    const constant = new Streams(new Peer(new URL('./constant.process.js', import.meta.url)));
    try {
      await engine.start();
      await constant.start();
      const pairs = await inTurn(
        values.count('pairs'),
        1,
        () => engine.round(turns),
        () => constant.round(turns),
      );
      print(
        `${STREAMS} streams over ${CHANNELS} connections, ${turns} turns a round with ${MESSAGES_PER_TURN} messages of ${MESSAGE_BYTES} bytes to each stream. The ` +
          "engine's side is everything between a shard's outbound ring and grpc-js. Clients compare every message byte by byte. Deliveries are " +
          "counted against the processor time of the server's whole process.",
      );
      const row = (name: string, rates: readonly number[]): string[] => {
        const rate = median(rates);
        return [name, Math.round(rate).toLocaleString('en'), (1e6 / rate).toFixed(2)];
      };
      print(
        formatTable(
          ['server', 'deliveries a processor second', 'us a delivery'],
          [
            row(
              'engine',
              pairs.map(({ a }) => a),
            ),
            row(
              'grpc-js, constant',
              pairs.map(({ b }) => b),
            ),
          ],
        ),
      );
      return [
        {
          id: 'constant',
          label: 'deliveries a processor second, engine / constant',
          better: 'higher',
          pairs: pairs.map(({ a, b }) => a / b),
          target: 0.7,
        },
      ];
    } finally {
      await Promise.all([engine.stop(), constant.stop()]);
    }
  },
};
