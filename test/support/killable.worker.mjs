// A shard's worker that ends its own thread, or hangs, when it is told to. Messages are looked for between two turns of the duty cycle, because a shard
// never returns to its event loop.
import { receiveMessageOnPort } from 'node:worker_threads';
import { headerInts, IN_USE, VERSION } from '../../dist/src/book/book-layout.js';
import { Arena } from '../../dist/src/memory/arena.js';
import { runShard } from '../../dist/src/shard/runner.js';

export default function killableWorker(task) {
  const orders = new BroadcastChannel('kill-shard');
  runShard(task, () => {
    const order = receiveMessageOnPort(orders)?.message;
    if (order?.shard !== task.shard) return;
    if (order.midWrite) leaveWritesOpen(new Arena(task.buffers.books));
    if (order.hang) for (;;);
    if (order.hoard) for (const kept = []; ; ) kept.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
    process.exit(1);
  });
  orders.close();
}

/** As if it had died while it changed every one of its books. */
function leaveWritesOpen(arena) {
  for (let slot = 0; slot < arena.booksMax; slot++) {
    const ints = headerInts(slot);
    if (arena.i32[ints + IN_USE] !== 0) Atomics.add(arena.i32, ints + VERSION, 1);
  }
}
