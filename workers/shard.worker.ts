import { runShard } from '../src/shard/runner.js';
import type { ShardTask } from '../src/shard/task.js';

/** What a worker thread starts with: one task is one shard, from start to shutdown. */
export default function shardWorker(task: ShardTask): void {
  runShard(task);
}
