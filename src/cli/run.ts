import { commandNames, helpText, nearestWord, packageVersion, usageText } from '../support/config/index.js';
import type { CommandName } from '../support/config/index.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { dieOnUncaught, exitWithError } from './exit.js';

/** Runs one command line, without `node` and the script. Ends the process itself when something fails. */
export async function runCli(argv: readonly string[]): Promise<void> {
  dieOnUncaught();
  try {
    await dispatch(argv);
  } catch (error) {
    exitWithError(error);
  }
}

async function dispatch([name, ...argv]: readonly string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return print(usageText());
  if (name === '--version' || name === '-v') return print(`${packageVersion()}\n`);
  const command = commandNames.find((known) => known === name);
  if (command === undefined) throw unknownCommand(name);
  if (argv.includes('--help') || argv.includes('-h')) return print(helpText(command));
  await run(command, argv);
}

/** Each command is loaded only when it is asked for: `mdp --help` need not start an HTTP server's worth of modules. */
async function run(command: CommandName, argv: readonly string[]): Promise<void> {
  switch (command) {
    case 'start':
      return (await import('./start.js')).runStart(argv);
    case 'sim':
      return (await import('./sim.js')).runSim(argv);
    case 'demo':
      return (await import('./demo.js')).runDemo(argv);
    default:
      command satisfies never;
  }
}

function unknownCommand(name: string): CodedError {
  const near = nearestWord(name, commandNames);
  const hint = near === undefined ? `it is ${commandNames.join(', ')}` : `nearest is ${near}`;
  return new CodedError(ErrorCode.CONFIG_INVALID, `unknown command ${JSON.stringify(name)}; ${hint}. "mdp --help" explains.`);
}

function print(text: string): void {
  process.stdout.write(text);
}
