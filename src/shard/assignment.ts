const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const encoder = new TextEncoder();

/** The worker that owns a symbol: FNV-1a (32 bits) over its UTF-8 bytes, modulo the number of workers. A pure function, the same everywhere. */
export function shardOf(symbol: string, workers: number): number {
  let hash = FNV_OFFSET;
  for (const byte of encoder.encode(symbol)) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return (hash >>> 0) % workers;
}
