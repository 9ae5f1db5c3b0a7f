/** A timer of the virtual clock; what `setTimeout` returns there. */
interface Timer {
  readonly id: number;
  readonly everyMs: number | undefined;
  dueMs: number;
  run: () => void;
  cancelled: boolean;
}

const realSetImmediate = setImmediate;
const realGlobals = { setTimeout, setInterval, clearTimeout, clearInterval };

/**
 * One clock for everything that runs in a simulated world, moved on from event to event. While installed it takes the place of the
 * global timers, so that production code runs under it as it is. Events due at the same time run in the order they were set.
 */
export class VirtualTime {
  /** Unix ms. */
  now: number;
  /** Called after every event, when all promises it settled have run on. */
  afterEvent: () => void = () => {};
  #lastId = 0;
  /** A binary heap by due time, then by id. */
  readonly #heap: Timer[] = [];

  constructor(startMs: number) {
    this.now = startMs;
  }

  /** Runs `action` at `now + delayMs`; the result cancels it. */
  after(delayMs: number, action: () => void): () => void {
    const timer = this.#add(delayMs, undefined, action);
    return () => {
      timer.cancelled = true;
    };
  }

  /** Takes the place of the global timers until the returned function is called. */
  install(): () => void {
    const timers = new Map<number, Timer>();
    const set = (everyMs: number | undefined, delayMs: number, action: () => void) => {
      const timer = this.#add(Math.max(1, delayMs || 0), everyMs, action);
      timers.set(timer.id, timer);
      const handle = { ref: () => handle, unref: () => handle, hasRef: () => true, [Symbol.toPrimitive]: () => timer.id };
      return handle;
    };
    const clear = (handle: unknown): void => {
      if (handle === undefined || handle === null) return;
      const timer = timers.get(Number(handle));
      if (timer === undefined) return;
      timer.cancelled = true;
      timers.delete(timer.id);
    };
    Object.assign(globalThis, {
      setTimeout: (action: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) => set(undefined, delayMs, () => action(...args)),
      setInterval: (action: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) =>
        set(Math.max(1, delayMs), delayMs, () => action(...args)),
      clearTimeout: clear,
      clearInterval: clear,
    });
    return () => void Object.assign(globalThis, realGlobals);
  }

  /** Moves on until `untilMs`, or until `done` says so. */
  async run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    while (!done()) {
      const next = this.#heap[0];
      if (next === undefined || next.dueMs > untilMs) {
        this.now = Math.max(this.now, untilMs);
        return;
      }
      this.#pop();
      if (next.cancelled) continue;
      this.now = Math.max(this.now, next.dueMs);
      if (next.everyMs !== undefined) {
        next.dueMs = this.now + next.everyMs;
        this.#push(next);
      }
      next.run();
      // Promises run on before the next event: a real turn of the loop ends only when none is left to.
      await new Promise<void>((resolve) => realSetImmediate(resolve));
      this.afterEvent();
    }
  }

  #add(delayMs: number, everyMs: number | undefined, run: () => void): Timer {
    const timer: Timer = { id: ++this.#lastId, everyMs, dueMs: this.now + delayMs, run, cancelled: false };
    this.#push(timer);
    return timer;
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.id < b.id);
}
