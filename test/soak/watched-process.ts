import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/support/config/index.js';
import { anyGrpcPort, type Ended } from '../support/mdp-process.js';
import { until } from '../support/until.js';
import type { Kill, Uncaught, Vital } from './probe.js';

const main = join(packageRoot(), 'dist/src/main.js');
/** What the image sets for the C library's allocator: a soak looks at memory. */
const imageTunables = /^ENV GLIBC_TUNABLES=(.+)$/m.exec(readFileSync(join(packageRoot(), 'Dockerfile'), 'utf8'))![1]!;
const probe = new URL('probe.js', import.meta.url);
const ERROR = 50;
const levels: Readonly<Record<string, number>> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly text: string;
}

/** `mdp` as a process of its own that is watched: what it logs, what it weighs, how it ends. Keeps no line but the last that tell of addresses. */
export class WatchedProcess {
  readonly name: string;
  readonly ended: Promise<Ended>;
  readonly vitals: Vital[] = [];
  /** Lines by severity and text. */
  readonly logged = new Map<string, number>();
  /** What should never happen, in words. */
  readonly uncaught: string[] = [];
  hasEnded = false;
  stderr = '';
  readonly #child: ChildProcess;
  readonly #onError: (line: LogLine) => void;
  #listening: Readonly<Record<string, unknown>> | undefined;

  /** `onError` gets every line logged as an error or worse. */
  constructor(name: string, argv: readonly string[], onError: (line: LogLine) => void) {
    this.name = name;
    this.#onError = onError;
    const child = spawn(process.execPath, ['--import', fileURLToPath(probe), main, ...argv], {
      env: { PATH: process.env['PATH'], GLIBC_TUNABLES: imageTunables, ...anyGrpcPort },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    createInterface({ input: child.stdout! }).on('line', (text) => this.#line(text));
    child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    child.on('message', (message: Vital | Uncaught) => {
      if (message.type === 'vital') this.vitals.push(message);
      else if (message.type === 'uncaught') this.uncaught.push(message.text);
    });
    this.ended = once(child, 'exit').then(([code, signal]: readonly unknown[]) => {
      this.hasEnded = true;
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The fields of the line that says where it listens. Throws when it ends before. */
  async addresses(): Promise<Readonly<Record<string, unknown>>> {
    return until(
      () => {
        if (this.hasEnded) throw new Error(`${this.name} ended before it listened: ${this.stderr}`);
        return this.#listening;
      },
      { timeoutMs: 60_000, what: `${this.name} to listen` },
    );
  }

  /** The one that was not killed for the longest time. */
  killOldestWorker(): void {
    this.#child.send({ type: 'kill' } satisfies Kill);
  }

  /** Asks it to end; SIGKILL when it has not after 15 s. Resolves with how it ended. */
  async end(): Promise<Ended> {
    if (!this.hasEnded) this.#child.kill('SIGTERM');
    await until(() => this.hasEnded, { timeoutMs: 15_000 }).catch(() => this.#child.kill('SIGKILL'));
    return this.ended;
  }

  #line(text: string): void {
    let fields: Readonly<Record<string, unknown>>;
    try {
      fields = JSON.parse(text) as Record<string, unknown>;
    } catch {
      this.#onError({ level: ERROR, msg: 'a line that is no JSON', text });
      return;
    }
    if (typeof fields['wsUrl'] === 'string') this.#listening = fields;
    const level = typeof fields['level'] === 'number' ? fields['level'] : (levels[String(fields['level'])] ?? ERROR);
    const msg = String(fields['msg']);
    const key = `${level} ${msg}`;
    this.logged.set(key, (this.logged.get(key) ?? 0) + 1);
    if (level >= ERROR) this.#onError({ level, msg, text });
  }
}
