import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/support/config/index.js';
import { until } from './until.js';

const main = join(packageRoot(), 'dist/src/main.js');

/** Commands that run at the same time cannot share the port of the defaults. */
export const anyGrpcPort = { MDP_GRPC_PORT: '0', MDP_DEMO_GRPC_PORT: '0' };

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  /** A module its main thread loads first; what it sends to its parent is told to `onMessage` of the process. */
  readonly preload: string;
}

/** `mdp` as a process of its own. */
export class MdpProcess {
  stdout = '';
  stderr = '';
  onMessage: (message: unknown) => void = () => {};
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #hasEnded = false;

  /** The command line, behind options if there are any. */
  constructor(...words: readonly (ProcessOptions | string)[]) {
    const [first] = words;
    const preload = typeof first === 'object' ? first.preload : undefined;
    const argv = words.filter((word) => typeof word === 'string');
    const child = spawn(process.execPath, [...(preload === undefined ? [] : ['--import', pathToFileURL(preload).href]), main, ...argv], {
      env: { PATH: process.env['PATH'], ...anyGrpcPort },
      stdio: preload === undefined ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'ipc'],
    }) as ChildProcessByStdio<null, Readable, Readable>;
    this.#child = child;
    child.on('message', (message) => this.onMessage(message));
    child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = once(child, 'close').then(([code, signal]: readonly unknown[]) => {
      this.#hasEnded = true;
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** To the preloaded module. */
  send(message: string): void {
    this.#child.send(message);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for text on standard output; throws with everything it wrote when it ends first or takes too long. */
  async text(pattern: RegExp, timeoutMs = 25_000): Promise<RegExpExecArray> {
    const found = await until(() => pattern.exec(this.stdout) ?? this.#hasEnded, { timeoutMs, what: String(pattern) }).catch(
      () => undefined,
    );
    if (typeof found !== 'object')
      throw new Error(`${found ? 'ended' : 'waited'} before it said ${pattern}:\n${this.stdout}${this.stderr}`);
    return found;
  }

  /** Ends it if it has not ended, at once. */
  async close(): Promise<void> {
    if (!this.#hasEnded) this.#child.kill('SIGKILL');
    await this.ended;
  }
}

export interface ExchangeAddress {
  readonly wsUrl: string;
  readonly restUrl: string;
}

/** Where an `mdp sim` process listens, once it does. */
export async function exchangeOf(sim: MdpProcess): Promise<ExchangeAddress> {
  const [, wsUrl, restUrl] = await sim.text(/"wsUrl":"([^"]+)","restUrl":"([^"]+)"/);
  return { wsUrl: wsUrl!, restUrl: restUrl! };
}

/** Where an `mdp start` process listens, once it does. */
export async function engineOf(start: MdpProcess): Promise<{ readonly url: string; readonly wsUrl: string }> {
  const [, url, wsUrl] = await start.text(/"url":"(http:[^"]+)","wsUrl":"([^"]+)"/);
  return { url: url!, wsUrl: wsUrl! };
}
