import { threadId } from 'node:worker_threads';
import { METER_BUSY_MS, ShardMeter } from '../memory/shard-meter.js';
import { catchUp, systemClock } from '../support/clock.js';
import { Shard } from './shard.js';
import { CONTROL_HEARTBEAT, CONTROL_READY, CONTROL_THREAD, type ShardTask } from './task.js';

/** Longest sleep; ticks of the clock arrive far more often. */
const IDLE_MS = 1000;

/**
 * The duty cycle of a shard: work while there are records, wait for the next one. Returns after a SHUT_DOWN record. `afterTurn` is
 * called after every turn, for tests that need to act inside the worker.
 */
export function runShard(task: ShardTask, afterTurn?: () => void): void {
  const control = new Int32Array(task.buffers.control);
  Atomics.store(control, CONTROL_THREAD, threadId);
  const meter = new ShardMeter(task.buffers.meters);
  const shard = new Shard(task, systemClock);
  Atomics.store(control, CONTROL_READY, 1);
  // Pairs with the supervisor's waitAsync on the same word.
  Atomics.notify(control, CONTROL_READY);
  let from = systemClock();
  while (shard.running) {
    const handled = shard.doWork();
    Atomics.add(control, CONTROL_HEARTBEAT, 1);
    afterTurn?.();
    const to = systemClock();
    meter.add(METER_BUSY_MS, to - from);
    from = to;
    if (handled > 0) continue;
    shard.idle(IDLE_MS);
    catchUp();
    // Waiting is not busy, asleep or awake; the event loop's own measure of utilisation cannot tell the two apart.
    from = systemClock();
  }
}
