import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { jobArguments, type Job, type Round } from './candidate.js';
import { readBook, type TextBook } from './stream.js';

/** A candidate in a process of its own, so that no other candidate's types and garbage reach its machine code and heap. */
export class CandidateProcess {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #job: Job;
  readonly #name: string;
  readonly #ended: Promise<string>;

  constructor(name: string, command: string, args: readonly string[], job: Job) {
    this.#name = name;
    this.#job = job;
    this.#child = spawn(command, [...args, ...jobArguments(job)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve(error.message));
      this.#child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    // A write to a process that is gone; `#next` says how it went.
    this.#child.stdin!.on('error', () => undefined);
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Resolves when the frames are loaded; returns their number. */
  async ready(): Promise<number> {
    return (await this.#next<{ readonly frames: number }>()).frames;
  }

  async round(leastMs: number): Promise<Round> {
    this.#child.stdin!.write(`round ${leastMs}\n`);
    return this.#next<Round>();
  }

  async book(): Promise<TextBook> {
    this.#child.stdin!.write('book\n');
    await this.#next<object>();
    return readBook(this.#job.bookPath);
  }

  async stop(): Promise<void> {
    this.#child.stdin!.end();
    await this.#ended;
  }

  async #next<T>(): Promise<T> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`candidate "${this.#name}" ended early: ${await this.#ended}`);
    return JSON.parse(value) as T;
  }
}
