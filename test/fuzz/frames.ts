import { ASKS, BIDS, headerInts } from '../../src/book/book-layout.js';
import { LEVELS } from '../../src/book/ladder-layout.js';
import { Arena } from '../../src/memory/arena.js';
import { type BookCopy, createBookCopy } from '../../src/model/book-copy.js';
import { BookState, StateReason } from '../../src/model/book-state.js';
import { Prng } from '../../src/simulator/prng.js';
import { checkLadder } from '../support/ladder-integrity.js';
import { type InputKind, inputs, names, pushEnd } from './exchange-inputs.js';
import { FuzzWorld, isFollowing, type Signs, type Slot, slots, symbols } from './fuzz-world.js';
import { once, pick } from './lanes.js';
import { Mutator } from './mutator.js';
import { Collections } from './collections.js';
import { ProcessorTime } from './processor-time.js';
import { type FuzzReport, HANG_MS } from './report.js';
import { Tallies } from './tally.js';
import { type DepthInput, isSameBook, isWholeBook, WaitingTwin } from './waiting-twin.js';

/** The books begin anew so often: numbers with ever more decimals end in a book that takes none. */
const LIFE = 2_000;
const FINDINGS_MAX = 10;
/** From so many inputs on each kind must have been read and refused. */
const TELLING_COUNT = 3 * LIFE;
/** Inputs a book waits with, about, before it gets sound answers; and how many of those before it is revived. */
const WAIT = 12;
const ANSWERS_MAX = 6;

type Weights = Partial<Record<InputKind, number>>;

const common: Weights = {
  'depth push': 12,
  'trades push': 4,
  'trades answer': 1,
  'candle push': 2,
  'candles answer': 1,
  'tickers push': 2,
  'tickers answer': 1,
  'text push': 4,
  'control frame': 2,
};

/** What a life is about: books that follow their stream, that wait for an answer most of the time, or that are audited. */
const lives = [
  { waits: false, audits: false, kinds: deck(common) },
  { waits: true, audits: false, kinds: deck({ ...common, 'depth answer': 4 }) },
  { waits: false, audits: true, kinds: deck({ ...common, 'audit answer': 6 }) },
] as const;

/** Inputs as those who read them see them. */
const tallied = [
  'live push',
  'waiting push',
  'depth answer',
  'audit answer',
  'trades push',
  'trades answer',
  'candle push',
  'candles answer',
  'tickers push',
  'tickers answer',
  'text push',
  'control frame',
  'routed message',
] as const;

/** How far a book that waits has come. */
interface Waiting {
  inputs: number;
  answers: number;
  /** What it is made of once it is live: pushes that wait. */
  pushes: DepthInput[];
  /** An answer came that did not make it live. */
  cut: boolean;
  /** The last version sound pushes led to, and the one the book stood at. */
  version: number;
  oldest: number;
}

/**
 * Sends `count` inputs of the exchange, nearly all of them broken, through the main thread's routers and the rings of a real shard that publishes in every
 * format. What must hold: nothing is thrown, nothing hangs, a depth input that is refused leaves the book as it was, a book that waits becomes live with
 * what the sound inputs say only, a live book is sound, nothing reaches a symbol that is not named, every JSON message can be parsed.
 */
export async function fuzzFrames(count: number, seed: number): Promise<FuzzReport> {
  const run = new Run(seed);
  while (run.sent < count && run.findings.length < FINDINGS_MAX) await run.live(Math.min(LIFE, count - run.sent));
  return run.report();
}

class Run {
  sent = 0;
  readonly findings: string[] = [];
  readonly #seed: number;
  readonly #random: Prng;
  readonly #mutator: Mutator;
  readonly #tallies = new Tallies(tallied);
  readonly #twin = new WaitingTwin();
  readonly #collections = new Collections();
  readonly #processor = new ProcessorTime();
  readonly #before = symbols.map(() => createBookCopy(1024));
  #lives = 0;
  #refused = 0;
  #slowestMs = 0;
  /** The sound input before. */
  #other: Uint8Array = new Uint8Array(0);

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Prng(seed, 'fuzz-frames');
    this.#mutator = new Mutator(this.#random);
  }

  report(): FuzzReport {
    this.#collections.close();
    this.#processor.close();
    const silent = this.sent >= TELLING_COUNT ? this.#tallies.findings() : [];
    return {
      sent: this.sent,
      refused: this.#refused,
      slowestMs: this.#slowestMs,
      findings: [...this.findings, ...silent],
      kinds: this.#tallies.byKind,
    };
  }

  async live(count: number): Promise<void> {
    const world = await FuzzWorld.open();
    const arena = new Arena(world.bench.buffers.books);
    const { waits, audits, kinds } = lives[this.#lives++ % lives.length]!;
    const waiting = symbols.map((): Waiting => ({ inputs: 0, answers: 0, pushes: [], cut: false, version: 0, oldest: 0 }));
    const random = this.#random;
    for (let i = 0; i < count && this.findings.length < FINDINGS_MAX; i++, this.sent++) {
      const slot = pick(random, slots);
      this.#prepare(world, slot, waiting[slot]!, waits);
      if (audits && once(random, 4)) world.bench.audit(slot);
      world.forget();
      for (const each of slots) world.read(each, this.#before[each]);
      const kind = isDue(waiting[slot]!) ? 'depth answer' : pick(random, kinds);
      if (!(await this.#send(world, slot, kind, waiting))) break;
      if (i % 16 === 0) world.bench.tick(10);
      if (i % 500 === 0) for (const each of slots) this.#checkLadders(arena, each);
    }
    await world.close();
  }

  /** Sees to it that the book waits, or does not. */
  #prepare(world: FuzzWorld, slot: Slot, waiting: Waiting, waits: boolean): void {
    const book = world.bench.book(slot, -1);
    const { version } = book;
    if (!waits) {
      if (book.state !== BookState.LIVE) world.revive(slot);
      return;
    }
    if (isFollowing(book) ? once(this.#random, WAIT) : waiting.answers >= ANSWERS_MAX) {
      if (!isFollowing(book)) world.revive(slot);
      world.bench.lineDown(StateReason.LINE_DOWN, slot).lineUp(slot);
      const { version: held } = world.bench.book(slot, -1);
      Object.assign(waiting, { inputs: 0, answers: 0, pushes: [], cut: false, version: held, oldest: held });
    } else if (isFollowing(book)) Object.assign(waiting, { inputs: 0, answers: 0, pushes: [], cut: false, version, oldest: version });
  }

  /** False when it threw: nothing is known of the books any more. */
  async #send(world: FuzzWorld, slot: Slot, kind: InputKind, waits: readonly Waiting[]): Promise<boolean> {
    const random = this.#random;
    const before = this.#before[slot]!;
    const waiting = waits[slot]!;
    const isWaiting = !isFollowing(before);
    const sound = inputs[kind]({
      random,
      symbol: symbols[slot],
      version: isWaiting ? waiting.version : before.version,
      oldestVersion: isWaiting ? waiting.oldest : before.version,
      book: before,
      requests: world.line.requests,
    });
    const isSound = this.#isSound(kind, isWaiting, waiting);
    const bytes = isSound ? sound : this.#mutator.mutate(sound, this.#other);
    this.#other = sound;
    const story = (what: string): void => {
      this.findings.push(
        `seed ${this.#seed}, input ${this.sent}, ${kind} of ${symbols[slot]} ${Buffer.from(bytes).toString('base64')}: ${what}`,
      );
    };
    const signs = slots.map((each) => world.signs(each));
    const started = this.#processor.ms();
    const startedMs = performance.now();
    try {
      await world.send(kind, slot, bytes);
    } catch (error) {
      story(`threw ${String(error)}`);
      return false;
    }
    const endedMs = performance.now();
    // Processor time is no more than the time that passed.
    if (endedMs - startedMs > this.#slowestMs) {
      const processorMs = this.#processor.ms() - started;
      const tookMs = Math.max(0, processorMs - (await this.#collections.between(startedMs, endedMs)));
      this.#slowestMs = Math.max(this.#slowestMs, tookMs);
      if (tookMs > HANG_MS) story(`took ${tookMs.toFixed(0)} ms`);
    }
    if (!world.line.isOpen) story('ended the connection');
    const isText = kind === 'text push' || kind === 'control frame';
    const isAnswer = kind.endsWith('answer');
    let refusals = 0;
    for (const each of slots) {
      const [was, is] = [this.#before[each]!, world.read(each)];
      const refused = world.signs(each).depthRefused - signs[slots.indexOf(each)]!.depthRefused;
      refusals += refused;
      const isChanged = !isUntouched(was, is);
      const isHanded = !isText && world.handed.some((one) => one.slot === each);
      if (isChanged || isHanded) {
        const isNamed = isAnswer ? each === slot && kind !== 'tickers answer' : names(bytes, isText, symbols[each]);
        if (isChanged && !isNamed) story(`changed the book of ${symbols[each]}, which it does not name`);
        if (isHanded && !isNamed) story(`was handed to ${symbols[each]}, which it does not name`);
      }
      this.#checkBook(world, each, { kind, bytes, refused: refused > 0, story }, waits[each]!);
    }
    if (kind === 'audit answer' && world.auditRead === false && !isSameAtScale(before, world.read(slot)))
      story('was refused and changed the book');
    const after = world.signs(slot);
    if (refusals > 0 || after.textsRefused > signs[slots.indexOf(slot)]!.textsRefused || world.auditRead === false) this.#refused++;
    this.#count(world, kind, isWaiting, signs[slots.indexOf(slot)]!, after);
    if (isWaiting) {
      waiting.inputs++;
      if (kind === 'depth answer' && isSound) waiting.answers++;
      if (kind === 'depth push') waiting.version = pushEnd(waiting.version);
    }
    return true;
  }

  /** One input in eight is; more of those of which a broken one spoils all that waits with it, or that seldom come at the right moment. */
  #isSound(kind: InputKind, isWaiting: boolean, waiting: Waiting): boolean {
    const random = this.#random;
    if (isWaiting && (kind === 'depth push' || (kind === 'depth answer' && isDue(waiting)))) return !once(random, 3);
    return once(random, kind === 'trades answer' || kind === 'audit answer' ? 3 : 8);
  }

  #checkBook(
    world: FuzzWorld,
    slot: Slot,
    { kind, bytes, refused, story }: { kind: InputKind; bytes: Uint8Array; refused: boolean; story: (what: string) => void },
    waiting: Waiting,
  ): void {
    const [was, is] = [this.#before[slot]!, world.read(slot)];
    const isLive = is.state === BookState.LIVE;
    if (isLive && is.bidCount > 0 && is.askCount > 0 && is.bidTicks[0]! > is.askTicks[0]!) story('left a crossed book live');
    const handed = world.handed.find((one) => one.slot === slot && one.form !== 'other');
    const input: DepthInput | undefined =
      kind === 'depth answer' ? { form: 'answer', bytes } : handed && { form: handed.form as 'push' | 'text', bytes: handed.bytes };
    if (isFollowing(was)) {
      if (refused && !isSameAtScale(was, is)) story('was refused and changed the book');
      // What shows a gap is the first to wait.
      if (!isFollowing(is))
        Object.assign(waiting, { cut: false, pushes: is.reason === StateReason.GAP && input !== undefined ? [input] : [] });
      return;
    }
    if (!isLive) {
      const isWhole = input !== undefined && (input.form === 'answer' || (input.form === 'text' && isWholeBook(input.bytes)));
      // Of what waits a push was refused: the answer could be read, and may have left a crossed book that nobody takes for live.
      const isRefused = refused && (!isWhole || world.answersRefused > 0);
      if (isRefused && !isSameAtScale(was, is)) story('was refused and changed the book');
      if (isWhole) waiting.cut = true;
      else if (input !== undefined) waiting.pushes.push(input);
      return;
    }
    if (input === undefined) return story('made a book live and is not about it');
    const wrong = this.#twin.judge(symbols[slot], was, { waiting: waiting.pushes, last: input, cut: waiting.cut }, is);
    if (wrong !== undefined) story(wrong);
  }

  #checkLadders(arena: Arena, slot: Slot): void {
    for (const side of [BIDS, ASKS]) {
      const { ticks } = checkLadder(arena.i32, headerInts(slot) + side);
      if (ticks.length === arena.i32[headerInts(slot) + side + LEVELS]) continue;
      this.findings.push(`seed ${this.#seed}, input ${this.sent}: a ladder of ${symbols[slot]} has a wrong count`);
    }
  }

  /** Who read the input, or refused it. */
  #count(world: FuzzWorld, kind: InputKind, isWaiting: boolean, was: Signs, is: Signs): void {
    const tallies = this.#tallies;
    const grew = (sign: keyof Signs): number => Number(is[sign] > was[sign]);
    const { answersRefused, bench } = world;
    if (kind === 'depth push') {
      tallies.add(isWaiting ? 'waiting push' : 'live push', { sent: 1 });
      if (!isWaiting) tallies.add('live push', { read: grew('pushes'), refused: grew('depthRefused') });
    } else if (kind === 'depth answer') {
      const read = isWaiting && answersRefused === 0 && (grew('snapshots') > 0 || bench.resyncs.length > 0);
      tallies.add('depth answer', { sent: 1, read: Number(read), refused: Number(answersRefused > 0) });
      tallies.add('waiting push', { read: is.pushes - was.pushes, refused: is.depthRefused - was.depthRefused - answersRefused });
    } else if (kind === 'audit answer') {
      tallies.add(kind, { sent: 1, read: Number(world.auditRead === true), refused: Number(world.auditRead === false) });
    } else {
      const refused = bench.refusals.length > 0 ? 1 : 0;
      const read = {
        'trades push': grew('trades'),
        'trades answer': grew('filled'),
        'candle push': grew('candles'),
        'candles answer': grew('candles'),
        'tickers push': grew('tickers'),
        'tickers answer': grew('tickers'),
        'text push': grew('texts'),
        'control frame': grew('channelsJudged'),
      }[kind];
      tallies.add(kind, { sent: 1, read, refused: kind === 'text push' || kind === 'control frame' ? grew('textsRefused') : refused });
    }
    if (!kind.endsWith('answer')) tallies.add('routed message', { sent: 1, read: grew('routed'), refused: grew('strays') });
  }
}

/** Whether a book waited long enough, and gets sound answers. */
function isDue({ inputs: count }: Waiting): boolean {
  return count >= WAIT;
}

/** Each kind as often as it weighs. */
function deck(weights: Weights): readonly InputKind[] {
  return (Object.entries(weights) as [InputKind, number][]).flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind));
}

function isSameAtScale(a: BookCopy, b: BookCopy): boolean {
  return a.priceScale === b.priceScale && a.quantityScale === b.quantityScale && isSameBook(a, b);
}

/** Nothing was done to the book at all. */
function isUntouched(a: BookCopy, b: BookCopy): boolean {
  const isAlike = a.state === b.state && a.reason === b.reason && a.epoch === b.epoch && a.seq === b.seq;
  return isAlike && a.provenBids === b.provenBids && a.provenAsks === b.provenAsks && isSameAtScale(a, b);
}
