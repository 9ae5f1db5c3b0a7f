import { existsSync, writeFileSync } from 'node:fs';
import { runShard } from '../../dist/src/shard/runner.js';

/**
 * A shard's worker that ends as soon as the file `$LATE_WORKER` exists, and hangs in its second life before it has given a sign of it. What is left
 * of each life is a file beside that one.
 */
export default function lateWorker(task) {
  const file = process.env['LATE_WORKER'];
  const life = existsSync(`${file}.2`) ? 3 : existsSync(`${file}.1`) ? 2 : 1;
  writeFileSync(`${file}.${life}`, '');
  if (life === 2) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  runShard(task, () => {
    if (life === 1 && existsSync(file)) process.exit(1);
  });
}
