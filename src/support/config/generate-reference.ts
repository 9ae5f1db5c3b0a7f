/** Writes `config/README.md`; run by `npm run docs:config`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configReference } from './help.js';
import { packageRoot } from './package.js';

writeFileSync(join(packageRoot(), 'config', 'README.md'), configReference());
