import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface Request {
  readonly id: number;
  readonly method: string;
  readonly parameters: unknown;
}

type Answer = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** A process of a bench's own that answers calls: whatever is measured runs in one, so that it shares no heap and no event loop with the rest. */
export class Peer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #output = '';

  /**
   * Starts a built module that calls `servePeer`. `flags` precede it, e.g. `--expose-gc`; `program` runs it instead of this Node; `env` is added to the
   * environment.
   */
  constructor(module: URL, flags: readonly string[] = [], program = process.execPath, env: Readonly<Record<string, string>> = {}) {
    this.#child = fork(fileURLToPath(module), [], {
      execPath: program,
      execArgv: [...flags],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child.on('message', (answer) => this.#answered(answer as Answer));
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${fileURLToPath(module)} ended with ${code ?? signal}`));
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** What it printed so far. */
  get output(): string {
    return this.#output;
  }

  call<Result>(method: string, parameters: unknown = null): Promise<Result> {
    const id = ++this.#lastId;
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, method, parameters } satisfies Request);
    });
  }

  /** Lets the process end by itself; one that does not is killed. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    const cut = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(cut);
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.result as never);
  }
}

/** The other end: answers calls by name until the parent lets go, then cleans up and exits. */
export function servePeer(
  methods: Readonly<Record<string, (parameters: never) => unknown>>,
  close: () => Promise<void> = () => Promise.resolve(),
): void {
  const send = (answer: Answer): void => void process.send!(answer);
  const call = async ({ id, method, parameters }: Request): Promise<void> => {
    try {
      send({ id, result: (await methods[method]!(parameters as never)) ?? null });
    } catch (error) {
      send({ id, error: `${method}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` });
    }
  };
  process.on('message', (request) => void call(request as Request));
  process.on('disconnect', () => void close().finally(() => process.exit()));
}
