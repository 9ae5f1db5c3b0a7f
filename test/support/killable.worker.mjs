// A shard's worker that ends its own thread, throws, hangs or fills its heap when it is told to. Messages are looked for between two turns of the duty
// cycle, because a shard never returns to its event loop.
import { receiveMessageOnPort } from 'node:worker_threads';
import { BEST_BID_TICK, BIDS, headerDoubles, headerInts, IN_USE, VERSION } from '../../dist/src/book/book-layout.js';
import { SIDE_INTS } from '../../dist/src/book/ladder-layout.js';
import { NO_TICK } from '../../dist/src/book/ladder-lookup.js';
import { Arena } from '../../dist/src/memory/arena.js';
import { runShard } from '../../dist/src/shard/runner.js';

/** Numbers a worker that fills its heap copies each turn, 4 MiB: that takes so short a time that its heartbeat goes on. */
const HOARD = 2 ** 19;

export default function killableWorker(task) {
  const orders = new BroadcastChannel('kill-shard');
  let kept;
  try {
    runShard(task, () => {
      kept?.push(kept[0].slice());
      const order = receiveMessageOnPort(orders)?.message;
      if (order?.shard !== task.shard) return;
      if (order.midWrite) leaveWritesOpen(new Arena(task.buffers.books));
      if (order.hang) for (;;);
      if (order.throw) throw new Error('the worker was told to throw');
      if (order.hoard) kept = [Array.from({ length: HOARD }, () => 0.5)];
      else process.exit(1);
    });
  } finally {
    // The pool keeps a thread that threw.
    orders.close();
  }
}

/** As if it had died while it changed every one of its books: the bids are gone, the asks are still there. */
function leaveWritesOpen(arena) {
  for (let slot = 0; slot < arena.booksMax; slot++) {
    const ints = headerInts(slot);
    if (arena.i32[ints + IN_USE] === 0) continue;
    Atomics.add(arena.i32, ints + VERSION, 1);
    arena.i32.fill(0, ints + BIDS, ints + BIDS + SIDE_INTS);
    arena.f64[headerDoubles(slot) + BEST_BID_TICK] = NO_TICK;
  }
}
