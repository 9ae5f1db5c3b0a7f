import { beforeEach, describe, expect, test } from 'vitest';
import { Channel, Format, MessageKind, type PublicationSpec } from '../../../src/model/publication.js';
import type { Trade } from '../../../src/model/trade.js';
import { deal } from '../../support/deals.js';
import { type BenchMessage, ShardBench } from '../../support/shard-bench.js';

const SPEC: PublicationSpec = { channel: Channel.TRADE, format: Format.JSON, depth: 0, intervalMs: 0 };
const ID = 7;

let bench: ShardBench;
const at = (...times: number[]) => times.map((time) => deal(time));

function start(options?: ConstructorParameters<typeof ShardBench>[0]): void {
  bench = new ShardBench(options).track();
  bench.streamUp().trades(at(1, 2));
}
beforeEach(() => start());

interface Body {
  readonly type: string;
  readonly epoch: number;
  readonly seq: number;
  readonly prev: number | null;
  readonly trades?: readonly Trade[];
}
const take = (): BenchMessage[] => bench.messages.splice(0);
const bodies = (): Body[] => take().map(({ body }) => body as unknown as Body);
/** `type prev-seq: times`. */
const brief = (): string[] =>
  bodies().map(
    ({ type, prev, seq, trades }) =>
      `${type} ${prev}-${seq}${trades === undefined ? '' : `: ${trades.map(({ timestamp }) => timestamp).join(' ')}`}`,
  );

describe('the channel trade', () => {
  test('begins with the newest trades, then carries every one', () => {
    bench.open(ID, SPEC);
    expect(take()).toMatchObject([
      {
        kind: MessageKind.SNAPSHOT,
        body: {
          ch: 'trade',
          sym: 'BTCUSDT',
          type: 'snapshot',
          epoch: 1,
          seq: 2,
          prev: null,
          te: 2,
          tr: bench.now,
          tp: bench.now,
          state: 'live',
          reason: 'subscribe',
          skipped: [],
        },
      },
    ]);
    bench.deals([deal(3, { sell: true }), deal(4, { id: 'a"\\\u00e9' })]);
    const [message] = take();
    expect(message!.body).toEqual({
      ch: 'trade',
      sym: 'BTCUSDT',
      type: 'trades',
      epoch: 1,
      seq: 4,
      prev: 2,
      te: 4,
      tr: bench.now,
      tp: bench.now,
      state: 'live',
      // The same as REST has.
      trades: bench.tape(2).trades,
    });
    expect(bench.tape(1).trades[0]!.exchange_id).toBe('a"\\\u00e9');
    expect(bench.tradesHeads).toEqual([{ count: 2, epoch: 1, seq: 4, firstMs: 3, lastMs: 4 }]);
  });

  test('on an empty tape begins with nothing', () => {
    bench = new ShardBench().track().open(ID, SPEC);
    expect(bodies()).toMatchObject([{ type: 'snapshot', seq: 0, prev: null, state: 'syncing', te: null, tr: null, trades: [] }]);
    bench.streamUp().trades([]);
    expect(bodies()).toMatchObject([{ type: 'state', seq: 0, state: 'live' }]);
    bench.deals(at(5));
    expect(brief()).toEqual(['trades 0-1: 5']);
  });

  test('a newcomer gets what the others have, no more and no less', () => {
    bench.open(ID, SPEC).deals(at(3));
    take();
    bench.requestSnapshot(ID, 99, 'subscribe');
    expect(take()).toMatchObject([{ kind: MessageKind.SNAPSHOT_FOR, token: 99, body: { type: 'snapshot', seq: 3, prev: null } }]);
    bench.deals(at(4));
    expect(brief()).toEqual(['trades 3-4: 4']);
  });

  test('tells of a hole before what is behind it, and the state in between', () => {
    bench.open(ID, SPEC);
    take();
    bench.streamDown();
    expect(bodies()).toMatchObject([{ type: 'state', epoch: 1, seq: 2, state: 'stale' }]);
    bench.streamUp().trades(at(8, 9));
    expect(bodies()).toMatchObject([
      { type: 'state', state: 'syncing' },
      { type: 'skipped', epoch: 2, prev: 2, seq: 2, reason: 'gap', count: null, from: 2, to: 8 },
      { type: 'trades', epoch: 2, prev: 2, seq: 4 },
      { type: 'state', epoch: 2, state: 'live' },
    ]);
    bench.requestSnapshot(ID, 5, 'subscribe');
    expect(bodies()).toMatchObject([{ type: 'snapshot', epoch: 2, seq: 4, skipped: [{ from: 2, to: 8 }] }]);
  });

  test('sends later what found no room, and says what the tape has lost meanwhile', () => {
    start({ outboundBytes: 2 ** 13, tape: 20 });
    bench.open(ID, SPEC);
    take();
    bench.draining = false;
    for (let time = 10; time < 90; time++) bench.deals(at(time));
    bench.draining = true;
    bench.work().tick();
    const got = bodies();
    let seq = 2;
    let missing = 0;
    for (const { prev, seq: next, type, ...body } of got) {
      expect(prev).toBe(seq);
      if (type === 'skipped') missing += (body as unknown as { count: number }).count;
      else expect(next - prev!).toBe(body.trades!.length);
      seq = next;
    }
    expect(seq).toBe(82);
    expect(got.flatMap(({ trades = [] }) => trades).length + missing).toBe(80);
    expect(missing).toBeGreaterThan(0);
    expect(got.at(-1)).toMatchObject({ type: 'trades', seq: 82, epoch: 1 });
  });

  test('costs nothing when nobody subscribes, and ends with its last subscriber', () => {
    bench.deals(at(3));
    expect(take()).toEqual([]);
    bench.open(ID, SPEC).close(ID).deals(at(4));
    expect(brief()).toEqual(['snapshot null-3: 1 2 3']);
  });
});
