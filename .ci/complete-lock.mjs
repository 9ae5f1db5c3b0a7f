/**
 * Adds to `package-lock.json` the platform packages that npm left out. Tools with native parts pin one optional package for each
 * platform; npm writes no entry for those a registry mirror does not have, and then `npm ci` refuses the lock file on every
 * platform. Their version is fixed by the tool that wants them and their platform is in their name, so nothing is guessed but the
 * integrity hash, which is left out. Run it after `npm install`: `node .ci/complete-lock.mjs`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));

const systems = new Set(['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']);
const processors = new Set(['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64']);

/** The platform a package is for, as far as its name tells: `@swc/core-linux-x64-musl`. */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = words.filter((word) => systems.has(word));
  const cpu = words.filter((word) => processors.has(word));
  if (os.length !== 1 || cpu.length !== 1) return undefined;
  const musl = words.some((word) => word.startsWith('musl'));
  const gnu = words.some((word) => word.startsWith('gnu'));
  return { os, cpu, ...(musl ? { libc: ['musl'] } : gnu ? { libc: ['glibc'] } : {}) };
}

let added = 0;
for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    const platform = platformOf(name);
    if (lock.packages[place] !== undefined || platform === undefined || !/^\d+\.\d+\.\d+$/.test(version)) continue;
    const { cpu, libc, os } = platform;
    // In npm's own order, so that its next run changes nothing.
    lock.packages[place] = { version, cpu, ...(parent.dev === true && { dev: true }), ...(libc && { libc }), optional: true, os };
    added++;
  }
}
const [root, ...rest] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => (a < b ? -1 : 1))]);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} platform packages added`);
