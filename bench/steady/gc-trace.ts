/** One collection as V8 reports it under `--trace-gc`. */
export interface Collection {
  /** The isolate, i.e. the thread: the first that reports is the main one. */
  readonly isolate: string;
  readonly kind: string;
  readonly pauseMs: number;
}

/** `[pid:isolate]   123 ms: Scavenge 18.1 (20.4) -> 17.2 (20.9) MB, 0.9 / 0.0 ms (…) …`; other lines are passed over. */
export function parseGcTrace(text: string): Collection[] {
  const pattern = /^\[\d+:(0x[0-9a-f]+)\]\s+\d+ ms: ([\w-]+)[^\n]*? MB, ([\d.]+) \/ [\d.]+ ms/gm;
  return Array.from(text.matchAll(pattern), ([, isolate, kind, pause]) => ({ isolate: isolate!, kind: kind!, pauseMs: Number(pause) }));
}
