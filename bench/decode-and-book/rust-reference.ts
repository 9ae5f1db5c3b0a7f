import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { commandVersion } from '../support/machine.js';
import { projectRoot } from '../support/paths.js';

const sourceDir = join(projectRoot, 'bench/reference');
const program = join(sourceDir, 'target/book');
/** What `cargo build --release` does, plus one code generation unit and no unwinding; for the plain x86-64 (or ARM64) processor, as Node is. */
const flags = ['--edition', '2021', '-C', 'opt-level=3', '-C', 'codegen-units=1', '-C', 'panic=abort'];

export type RustReference = { readonly program: string; readonly version: string } | { readonly missing: string };

/** Builds the Rust program when its source is newer. Says what is missing when there is no compiler; throws when it does not compile. */
export function buildRustReference(): RustReference {
  const version = commandVersion('rustc');
  if (version === undefined) return { missing: 'rustc is not installed' };
  if (!isFresh()) {
    mkdirSync(join(sourceDir, 'target'), { recursive: true });
    const result = spawnSync('rustc', [...flags, join(sourceDir, 'main.rs'), '-o', program], { stdio: 'inherit' });
    if (result.status !== 0) throw new Error(`rustc ended with ${result.status ?? result.signal}`);
  }
  return { program, version: `${version}, ${flags.slice(2).join(' ')}` };
}

function isFresh(): boolean {
  if (!existsSync(program)) return false;
  const built = statSync(program).mtimeMs;
  return readdirSync(sourceDir)
    .filter((file) => file.endsWith('.rs'))
    .every((file) => statSync(join(sourceDir, file)).mtimeMs <= built);
}
