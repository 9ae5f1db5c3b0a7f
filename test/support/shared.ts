import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const candidate = fileURLToPath(new URL('../../../shared', import.meta.url));

/** The folder of recorded and golden data beside the project, or `undefined` where it is not there. */
export const sharedDir: string | undefined = existsSync(candidate) ? candidate : undefined;

/** A file or folder of the shared data. Use only where `sharedDir` is known to exist (`describe.skipIf(!sharedDir)`). */
export function sharedPath(...parts: readonly string[]): string {
  return [candidate, ...parts].join('/');
}
