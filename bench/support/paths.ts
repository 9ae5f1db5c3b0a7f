import { fileURLToPath } from 'node:url';

/** Root of the project, seen from the built files in `dist/bench/support`. */
export const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));
