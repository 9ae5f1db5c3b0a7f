import { createHash } from 'node:crypto';
import type { EngineCounts } from './engine.process.js';
import type { Path } from './exchange.js';
import { Peer } from './peer.js';
import { mainThreadMs, processMs } from './processor-time.js';
import type { MarketShape, TextSides } from './symbol-stream.js';

/** What one flood took. */
export interface FloodResult {
  readonly frames: number;
  readonly seconds: number;
  /** Processor time of the reader's main thread, and of all its threads. */
  readonly mainMs: number;
  readonly processMs: number;
}

export async function startExchange(shape: MarketShape): Promise<{ readonly exchange: Peer; readonly port: number }> {
  const exchange = new Peer(new URL('./exchange.process.js', import.meta.url));
  return { exchange, port: await exchange.call<number>('start', shape) };
}

/** Lets the exchange send whole passes to one reader, and waits for `done` with the number of frames all passes so far make. */
export async function flood(
  exchange: Peer,
  reader: Peer,
  path: Path,
  passes: number,
  framesBefore: number,
  done: (frames: number) => Promise<number>,
): Promise<FloodResult> {
  const frames = passes * (await exchange.call<number>('prepare', { path }));
  const mainBefore = mainThreadMs(reader.pid);
  const processBefore = processMs(reader.pid);
  const finished = done(framesBefore + frames);
  const startedMs = await exchange.call<number>('flood', { path, passes });
  const endedMs = await finished;
  return {
    frames,
    seconds: (endedMs - startedMs) / 1000,
    mainMs: mainThreadMs(reader.pid) - mainBefore,
    processMs: processMs(reader.pid) - processBefore,
  };
}

/** The engine in a process of its own, and how to flood it. */
export class EngineReader {
  readonly peer: Peer;
  readonly #exchange: Peer;
  #url = '';

  constructor(exchange: Peer, nodeFlags: readonly string[] = []) {
    this.#exchange = exchange;
    this.peer = new Peer(new URL('./engine.process.js', import.meta.url), nodeFlags);
  }

  get url(): string {
    return this.#url;
  }

  /** Starts it and waits until every book is live. */
  async start(port: number, workers: number, snapshotRate?: number): Promise<void> {
    this.#url = await this.peer.call<string>('start', { port, workers, snapshotRate });
    await this.peer.call('live');
  }

  counts(): Promise<EngineCounts> {
    return this.peer.call<EngineCounts>('counts');
  }

  /** Resolves when so many frames were received since the start and the shards have taken them. */
  settled(frames: number): Promise<void> {
    return this.peer.call('settled', { frames });
  }

  /** Throws when a frame was lost on the way or not applied. */
  async flood(passes: number): Promise<FloodResult> {
    const before = await this.counts();
    const updates = await this.peer.call<number>('updates');
    const result = await flood(this.#exchange, this.peer, 'ws', passes, updates, (count) => this.peer.call('updated', { count }));
    const after = await this.counts();
    const applied = after.applied - before.applied;
    if (applied !== result.frames) throw new Error(`${applied} of ${result.frames} frames were applied`);
    if (after.lost !== before.lost) throw new Error(`${after.lost - before.lost} frames were lost on the way`);
    return result;
  }

  /** After whole passes: throws unless the engine's books are the exchange's, level by level. Returns how many were compared. */
  async compareBooks(): Promise<number> {
    const books = await this.#exchange.call<Record<string, TextSides>>('books');
    for (const [symbol, book] of Object.entries(books)) {
      const hash = await this.peer.call<string>('book', { symbol });
      if (hash !== hashOf(book)) throw new Error(`the book of ${symbol} is not the exchange's`);
    }
    return Object.keys(books).length;
  }
}

function hashOf({ bids, asks }: TextSides): string {
  const lines = [...bids.map((level) => level.join(' ')), '', ...asks.map((level) => level.join(' '))];
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
