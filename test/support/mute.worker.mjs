import { runShard } from '../../dist/src/shard/runner.js';

/** A shard's worker that hangs after its first turn, in every life. */
export default function muteWorker(task) {
  runShard(task, () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  });
}
