import { createRequire } from 'node:module';
import type { Bench } from '../support/bench.js';
import { commandVersion } from '../support/machine.js';
import { Peer } from '../support/peer.js';
import { processMs } from '../support/processor-time.js';
import { median } from '../support/statistics.js';
import { formatTable } from '../support/table.js';
import { inTurn } from '../support/turns.js';
import { CLIENTS, MESSAGES_PER_TURN } from './messages.js';

/** A server under test and its clients. */
class FanOut {
  readonly #server: Peer;
  readonly #clients = new Peer(new URL('./clients.process.js', import.meta.url));
  #messages = 0;

  constructor(server: Peer) {
    this.#server = server;
  }

  async start(path: string, subscribe: boolean): Promise<void> {
    const port = await this.#server.call<number>('start');
    await this.#clients.call('connect', { url: `ws://127.0.0.1:${port}${path}`, subscribe });
  }

  /** Deliveries a second of the server's processor time. */
  async round(turns: number): Promise<number> {
    const deliveries = turns * MESSAGES_PER_TURN * CLIENTS;
    this.#messages += deliveries;
    const before = processMs(this.#server.pid);
    await this.#server.call('turns', { turns });
    const spentMs = processMs(this.#server.pid) - before;
    await this.#clients.call('received', { messages: this.#messages });
    return (deliveries * 1000) / spentMs;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#clients.stop(), this.#server.stop()]);
  }
}

/** Bun's program: its package puts it in place of a stub of its own when it is installed. `undefined` where there is none for this machine. */
function bunProgram(): string | undefined {
  const require = createRequire(import.meta.url);
  const places = ['bun/bin/bun.exe', `@oven/bun-${process.platform}-${process.arch}/bin/bun`];
  const found = places.flatMap((place) => {
    try {
      return [require.resolve(place)];
    } catch {
      return [];
    }
  });
  return found.find((path) => commandVersion(path) !== undefined);
}

/** From the shards' messages to the clients' sockets. */
export const fanOut: Bench = {
  title: `${CLIENTS} clients, ${MESSAGES_PER_TURN} messages of 1 KiB a turn, beside a ws.send loop and Bun's publish`,
  help: `
  --pairs N        counted pairs of rounds (default 5)
  --turns N        turns of one round (default 200)`,
  options: { pairs: { type: 'string', default: '5' }, turns: { type: 'string', default: '200' } },
  async run(values, print) {
    const pairs = values.count('pairs');
    const turns = values.count('turns');
    const bun = bunProgram();
    const engine = new FanOut(new Peer(new URL('./engine.process.js', import.meta.url)));
    const loop = new FanOut(new Peer(new URL('./ws.process.js', import.meta.url)));
    const native = bun === undefined ? undefined : new FanOut(new Peer(new URL('./bun.process.js', import.meta.url), [], bun));
    try {
      await engine.start('/ws', true);
      await loop.start('/', false);
      await native?.start('/', false);
      print(
        `${turns} turns a round. The engine's side is everything between a shard's outbound ring and the sockets: egress, hub, subscribers, sessions. ` +
          'Clients are a process of their own a server, and compare every message byte by byte. Deliveries are counted against the processor time ' +
          "of the server's whole process.",
      );
      const besideLoop = await inTurn(
        pairs,
        1,
        () => engine.round(turns),
        () => loop.round(turns),
      );
      const besideNative =
        native &&
        (await inTurn(
          pairs,
          1,
          () => engine.round(turns),
          () => native.round(turns),
        ));
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
              [...besideLoop, ...(besideNative ?? [])].map(({ a }) => a),
            ),
            row(
              'ws.send loop',
              besideLoop.map(({ b }) => b),
            ),
            ...(besideNative === undefined
              ? []
              : [
                  row(
                    `Bun ${commandVersion(bun!)} publish`,
                    besideNative.map(({ b }) => b),
                  ),
                ]),
          ],
        ),
      );
      if (besideNative === undefined) print('Bun: not run, its package has no program for this machine.');
      const ratios = (list: readonly { readonly a: number; readonly b: number }[]): number[] => list.map(({ a, b }) => a / b);
      return [
        {
          id: 'ws-loop',
          label: 'deliveries a processor second, engine / ws.send loop',
          better: 'higher',
          pairs: ratios(besideLoop),
          target: 4,
        },
        ...(besideNative === undefined
          ? []
          : [{ id: 'bun', label: 'the same, engine / Bun publish', better: 'higher' as const, pairs: ratios(besideNative), target: 0.7 }]),
      ];
    } finally {
      await Promise.all([engine.stop(), loop.stop(), native?.stop()]);
    }
  },
};
