import { closeSync, openSync, readSync } from 'node:fs';

/**
 * How long the process's main thread was on a processor, by Linux's count, good to a tick of its clock (4 ms). That of the process holds V8's own threads,
 * which compile and collect beside it.
 */
export class ProcessorTime {
  readonly #file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  readonly #bytes = Buffer.alloc(64);

  ms(): number {
    // The first number: nanoseconds on a processor.
    const text = this.#bytes.toString('latin1', 0, readSync(this.#file, this.#bytes, 0, this.#bytes.length, 0));
    return Number(text.split(' ', 1)[0]) / 1e6;
  }

  close(): void {
    closeSync(this.#file);
  }
}
