/**
 * Checks the import rules of `.dependency-cruiser.mjs`, and that the checker truly saw every source file. The sources show which
 * folder knows which, types included; the built files beside them show what is loaded, in which no cycle is allowed.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cruiser = fileURLToPath(new URL('../node_modules/dependency-cruiser/bin/dependency-cruise.mjs', import.meta.url));

const sources = ['src', 'workers'].flatMap((folder) =>
  readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`),
);
const built = sources.map((source) => `dist/${source.replace(/ts$/, 'js')}`);

function cruise(files) {
  const flags = ['--config', '.dependency-cruiser.mjs', '--output-type', 'json', ...files];
  try {
    return execFileSync(process.execPath, [cruiser, ...flags], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
  } catch (error) {
    // The exit code is the number of violations; the report is on standard output all the same.
    if (typeof error.stdout === 'string' && error.stdout.startsWith('{')) return error.stdout;
    throw error;
  }
}

const { modules, summary } = JSON.parse(cruise([...sources, ...built]));
const seen = new Set(modules.map((module) => module.source));
const unseen = [...sources, ...built].filter((file) => !seen.has(file));
const imports = modules.reduce((total, module) => total + module.dependencies.length, 0);

for (const { rule, from, to } of summary.violations) console.error(`error ${rule.name}: ${from} -> ${to}`);
for (const file of unseen) console.error(`error not seen: ${file}`);
console.log(`imports: ${sources.length} source files, ${imports} imports, ${summary.violations.length} violations`);
if (summary.violations.length > 0 || unseen.length > 0 || sources.length === 0 || imports < sources.length) process.exitCode = 1;
