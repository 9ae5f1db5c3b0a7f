import { createInterface } from 'node:readline';
import { readBook, readFrames, writeBook, type TextBook } from './stream.js';

/** The files of one run and the scales of its symbol: the arguments every candidate process is started with. */
export interface Job {
  readonly framesPath: string;
  readonly snapshotPath: string;
  /** Where the candidate writes its book when asked. */
  readonly bookPath: string;
  readonly priceScale: number;
  readonly quantityScale: number;
}

export function jobArguments(job: Job): string[] {
  return [job.framesPath, job.snapshotPath, job.bookPath, String(job.priceScale), String(job.quantityScale)];
}

/** An order book under test. */
export interface Candidate {
  /** Puts the book back to the snapshot; not timed. */
  reset(): void;
  /** Decodes every frame and applies it under the sequence rule; timed. Returns the number of levels applied; throws on a gap. */
  replay(): number;
  /** The whole book. */
  book(): TextBook;
}

export interface CandidateInput {
  readonly frames: readonly Uint8Array[];
  readonly snapshot: TextBook;
  readonly priceScale: number;
  readonly quantityScale: number;
}

/** The answer to `round MS`. */
export interface Round {
  readonly passes: number;
  readonly levels: number;
  readonly nanoseconds: number;
}

/**
 * The main loop of a candidate process. It answers each line on standard input by one line of JSON:
 * `round MS` replays the stream until at least MS milliseconds were spent in the timed part, `book` writes the book's file.
 * The process ends with its input.
 */
export async function serveCandidate(create: (input: CandidateInput) => Candidate | Promise<Candidate>): Promise<void> {
  const [framesPath, snapshotPath, bookPath, priceScale, quantityScale] = process.argv.slice(2);
  if (!framesPath || !snapshotPath || !bookPath || !priceScale || !quantityScale) {
    throw new Error('usage: candidate FRAMES SNAPSHOT BOOK PRICE_SCALE QUANTITY_SCALE');
  }
  const frames = readFrames(framesPath);
  const candidate = await create({
    frames,
    snapshot: readBook(snapshotPath),
    priceScale: Number(priceScale),
    quantityScale: Number(quantityScale),
  });
  answer({ frames: frames.length });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.startsWith('round ')) {
      answer(runRound(candidate, Number(line.slice('round '.length))));
    } else if (line === 'book') {
      writeBook(bookPath, candidate.book());
      answer({});
    }
  }
}

function runRound(candidate: Candidate, leastMs: number): Round {
  let passes = 0;
  let levels = 0;
  let spentMs = 0;
  while (passes === 0 || spentMs < leastMs) {
    candidate.reset();
    const startedMs = performance.now();
    levels += candidate.replay();
    spentMs += performance.now() - startedMs;
    passes++;
  }
  return { passes, levels, nanoseconds: Math.round(spentMs * 1e6) };
}

function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/**
 * The exchange's sequence rule: false when the update is in the book already, true when it follows; throws on a gap,
 * since the streams of this bench have none.
 */
export function follows(fromVersion: number, toVersion: number, lastVersion: number): boolean {
  if (toVersion <= lastVersion) return false;
  if (fromVersion > lastVersion + 1) throw new Error(`gap: ${lastVersion} before ${fromVersion}`);
  return true;
}
