import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';

/** One line that says what a figure was measured on. */
export function describeMachine(): string {
  const processors = cpus();
  const memoryGiB = (totalmem() / 2 ** 30).toFixed(0);
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  return `${model}, ${processors.length} cores, ${memoryGiB} GiB, ${type()} ${release()} ${process.arch}, Node ${process.version} (V8 ${process.versions.v8})`;
}

/** First line of `command --version`, or `undefined` when there is no such command. `success` is what it ends with. */
export function commandVersion(command: string, flag = '--version', success = 0): string | undefined {
  const result = spawnSync(command, [flag], { encoding: 'utf8' });
  return result.status === success ? result.stdout.split('\n')[0]!.trim() : undefined;
}
