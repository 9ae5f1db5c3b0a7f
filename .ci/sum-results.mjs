/** Adds up the reports in a folder (`sum-results.mjs FOLDER COUNT`) and prints `N passed, N failed`; fails when one is missing or failed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, expected] = process.argv.slice(2);
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
const reports = files.map((name) => ({ name, ...JSON.parse(readFileSync(join(folder, name), 'utf8')) }));

let passed = 0;
let failed = 0;
for (const report of reports) {
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(`${report.name}: ${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`);
  passed += report.numPassedTests;
  // A file that cannot be loaded fails without a single failed test.
  failed += report.success || report.numFailedTests > 0 ? report.numFailedTests : 1;
}
// A suite that never came as far as its report is a failure too.
failed += Math.max(0, Number(expected) - reports.length);
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
