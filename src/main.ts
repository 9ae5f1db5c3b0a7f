#!/usr/bin/env node
/** The `mdp` command. */
import { runCli } from './cli/run.js';

await runCli(process.argv.slice(2));
