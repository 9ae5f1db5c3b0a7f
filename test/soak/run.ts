import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/support/config/index.js';
import { help, readOptions } from './options.js';
import { reportOf } from './report.js';
import { Soak } from './soak.js';

const given = readOptions(process.argv.slice(2));
if (given === undefined) process.stdout.write(help);
else {
  const { options, write } = given;
  const startedMs = performance.now();
  const say = (line: string): void =>
    void process.stdout.write(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${line}\n`);
  const result = await new Soak(options, say).run();
  const report = reportOf(result);
  process.stdout.write(`\n${report}`);
  if (write)
    writeFileSync(
      join(packageRoot(), 'bench/soak.md'),
      `# Soak\n\nWritten by \`npm run soak -- --write\`; see [reliability](../docs/reliability.md#soak).\n\n${report}`,
    );
  process.exitCode = result.wrongCount === 0 ? 0 : 1;
}
