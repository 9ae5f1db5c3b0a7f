import { join } from 'node:path';
import { CandidateProcess } from './candidate-process.js';
import { hashBook, modelBook } from './model-book.js';
import { writeBook, writeFrames, type Stream } from './stream.js';

/** What a candidate is started with. */
export interface CandidateSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

export interface CandidateResult {
  readonly name: string;
  /** Million levels a second, one value a round. */
  readonly rates: readonly number[];
}

export interface StreamResult {
  readonly stream: Stream;
  readonly results: readonly CandidateResult[];
  readonly finalLevels: readonly [bids: number, asks: number];
  /** Of the final book, the same for every candidate. */
  readonly bookSha256: string;
}

/** Rounds nobody counts, so that the machine code is final, then the rounds that count. */
const WARM_UP_ROUNDS = 2;

/**
 * Runs every candidate over one stream, in turn, round by round. Throws when a candidate fails, applies another number of
 * levels, or ends in another book than the slow model.
 */
export async function measureStream(
  stream: Stream,
  specs: readonly CandidateSpec[],
  workDir: string,
  rounds: number,
  roundMs: number,
): Promise<StreamResult> {
  const framesPath = join(workDir, `${stream.name}.frames`);
  const snapshotPath = join(workDir, `${stream.name}.snapshot`);
  writeFrames(framesPath, stream.frames);
  writeBook(snapshotPath, stream.snapshot);
  const model = modelBook(stream);
  const processes: CandidateProcess[] = [];
  try {
    const rates = specs.map((): number[] => []);
    for (const [index, { name, command, args }] of specs.entries()) {
      const bookPath = join(workDir, `${stream.name}.${index}.book`);
      const { priceScale, quantityScale } = stream;
      const candidate = new CandidateProcess(name, command, args, { framesPath, snapshotPath, bookPath, priceScale, quantityScale });
      processes.push(candidate);
      const frames = await candidate.ready();
      if (frames !== stream.frames.length) throw new Error(`${name} loaded ${frames} frames of ${stream.frames.length}`);
    }
    for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
      for (const [index, candidate] of processes.entries()) {
        const { passes, levels, nanoseconds } = await candidate.round(roundMs);
        if (levels !== passes * stream.levels)
          throw new Error(`${specs[index]!.name} applied ${levels} levels in ${passes} passes of ${stream.levels}`);
        if (round >= WARM_UP_ROUNDS) rates[index]!.push((levels / nanoseconds) * 1e3);
      }
    }
    const bookSha256 = hashBook(model);
    for (const [index, candidate] of processes.entries()) {
      const book = await candidate.book();
      if (book.version !== model.version || hashBook(book) !== bookSha256) {
        throw new Error(
          `${specs[index]!.name} ends in another book than the model (stream ${stream.name}, version ${book.version} for ${model.version})`,
        );
      }
    }
    return {
      stream,
      results: specs.map(({ name }, index) => ({ name, rates: rates[index]! })),
      finalLevels: [model.bids.length, model.asks.length],
      bookSha256,
    };
  } finally {
    await Promise.all(processes.map((candidate) => candidate.stop()));
  }
}
