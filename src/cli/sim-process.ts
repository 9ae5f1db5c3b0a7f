import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CodedError, ErrorCode } from '../support/errors.js';
import { packageRoot } from '../support/config/index.js';

/** What `mdp sim` tells its parent process once it listens. */
export interface SimulatorListening {
  readonly type: 'listening';
  readonly port: number;
  readonly wsUrl: string;
  readonly restUrl: string;
}

export interface SimulatorProcess {
  readonly pid: number;
  readonly wsUrl: string;
  readonly restUrl: string;
  /** Ends it and waits until it is gone. */
  close(): Promise<void>;
}

const START_MS_MAX = 15_000;
/** Well inside the 5 s a signalled process may take to end. */
const CLOSE_MS_MAX = 1_500;

/** What it wrote to standard error last is why it ended. */
const ERROR_LINES_MAX = 10;

/**
 * Starts `mdp sim` as a child process, so that the market it makes up does not share the engine's event loop. The child ends with
 * this process in every case, since it watches the channel between them. `onLine` gets what it logs; `onEnd` is called when it
 * ends by itself. Rejects with CodedError SIMULATOR_ENDED when it does not listen in time.
 */
export async function startSimulatorProcess(
  flags: readonly string[],
  onLine: (line: string) => void,
  onEnd: (error: CodedError) => void,
): Promise<SimulatorProcess> {
  const main = join(packageRoot(), 'dist', 'src', 'main.js');
  // An empty environment: variables and files meant for `mdp sim` are not meant for the market inside a demo.
  const child = fork(main, ['sim', ...flags], { env: {}, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const errorLines: string[] = [];
  const output = createInterface({ input: child.stdout! }).on('line', onLine);
  const errors = createInterface({ input: child.stderr! }).on('line', (line) => {
    if (errorLines.push(line.trim()) > ERROR_LINES_MAX) errorLines.shift();
  });
  // Not the child's `close`: it does not come when this side has disconnected (Node 20.20).
  const ended = Promise.all([once(child, 'exit'), once(output, 'close'), once(errors, 'close')]).then(([[code, signal]]) =>
    endError(signal ?? code, errorLines),
  );
  const listening = await Promise.race([listeningMessage(child), ended]);
  if (listening instanceof CodedError) throw listening;
  let closing = false;
  void ended.then((error) => closing || onEnd(error));
  return {
    pid: child.pid!,
    wsUrl: listening.wsUrl,
    restUrl: listening.restUrl,
    close: async () => {
      closing = true;
      if (child.connected) child.disconnect();
      const kill = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS_MAX);
      await ended;
      clearTimeout(kill);
    },
  };
}

function endError(cause: unknown, lines: readonly string[]): CodedError {
  const how = typeof cause === 'number' ? `exit code ${cause}` : String(cause);
  return new CodedError(ErrorCode.SIMULATOR_ENDED, `the simulated exchange ended with ${how}${lines.map((line) => ` ${line}`).join('')}`);
}

function listeningMessage(child: ChildProcess): Promise<SimulatorListening> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new CodedError(ErrorCode.SIMULATOR_ENDED, `the simulated exchange did not listen within ${START_MS_MAX} ms`));
    }, START_MS_MAX);
    child.once('exit', () => clearTimeout(timer));
    child.once('message', (message) => {
      clearTimeout(timer);
      resolve(message as SimulatorListening);
    });
  });
}
