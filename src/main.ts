#!/usr/bin/env node
/** The `mdp` command. */
import { setV8Flags } from './support/v8-flags.js';

// While the command is loaded there is nothing to drain: a signal then ends the process in order all the same.
const endAtOnce = (): void => process.exit(0);
process.once('SIGTERM', endAtOnce);
process.once('SIGINT', endAtOnce);
setV8Flags();
const { runCli } = await import('./cli/run.js');
process.off('SIGTERM', endAtOnce);
process.off('SIGINT', endAtOnce);

await runCli(process.argv.slice(2));
