import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A bug put into a copy of the built code; `also` removes the second check of what is guarded by two. Looked for on one line unless told. */
interface Mutant {
  readonly bug: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly also?: { readonly from: string; readonly to: string };
  readonly lines?: 2;
}

const SEEDS_MAX = 200;

const mutants: readonly Mutant[] = [
  {
    bug: 'the sequence rule takes a push behind a hole of one',
    file: 'src/mexc/sequence.js',
    from: 'return from <= last + 1',
    to: 'return from <= last + 2',
  },
  { bug: 'a push that straddles the snapshot is dropped', file: 'src/mexc/sequence.js', from: 'if (to <= last)', to: 'if (from <= last)' },
  {
    bug: 'a snapshot opens no epoch',
    file: 'src/book/order-books.js',
    from: 'i32[ints + EPOCH] = i32[ints + EPOCH] + 1',
    to: 'i32[ints + EPOCH] = i32[ints + EPOCH]',
  },
  {
    bug: 'a snapshot is added to the book it should replace',
    file: 'src/book/order-books.js',
    from: 'this.#ladders.destroy(ints + side);\n            this.#ladders.create(ints + side);',
    to: 'if (this.#i32[ints + side] === 0)\n this.#ladders.create(ints + side);',
  },
  {
    bug: 'pushes that waited for the snapshot are forgotten',
    file: 'src/shard/book-keeper.js',
    from: 'for (let i = 0; i < pending.count; i++) {\n            if (this.#decoder.decodeKept',
    to: 'for (let i = 0; i < 0; i++) {\n            if (this.#decoder.decodeKept',
    also: { from: 'if (books.version(slot) !== reach)', to: 'if (false)' },
  },
  {
    bug: 'what a bad frame held is not missed',
    file: 'src/shard/book-keeper.js',
    from: 'if (outcome !== DepthDecode.NOT_DEPTH && this.#trust.isFollowing(book))',
    to: 'if (false)',
  },
  {
    bug: 'a snapshot from before a lost push is taken',
    file: 'src/shard/book-keeper.js',
    from: 'this.#trust.isTooOld(book, version, book.lostAfter + 1, timeMs)',
    to: 'false',
    also: { from: 'this.#trust.isTooOld(book, reach, book.lostAfter + 1, timeMs)', to: 'false' },
  },
  {
    bug: 'deltas name the wrong predecessor',
    file: 'src/shard/book-publication.js',
    from: 'this.#lastSeq = this.#books.seq(this.#slot);\n        this.#lastVersion',
    to: 'this.#lastSeq = this.#books.seq(this.#slot) - 1;\n        this.#lastVersion',
  },
  {
    bug: 'a top of the book is compared with another than the one sent',
    file: 'src/shard/book-publication.js',
    from: '        this.#swapWindows();\n        this.#sent',
    to: '        this.#sent',
  },
  {
    bug: 'levels changed between two messages are forgotten',
    file: 'src/shard/book-publication.js',
    from: 'this.#dirtyBids.add(delta.bids.ticks, delta.bids.count, DIRTY_LIMIT)',
    to: 'true',
  },
  {
    bug: 'a slow client goes on with deltas after a hole',
    file: 'src/publish/subscriber.js',
    from: 'if (!subscription.waiting)\n            this.#needSnapshotAfterSlowness(subscription);',
    to: '',
  },
  {
    bug: 'a dead worker takes its subscriptions along',
    file: 'src/engine/pipeline.js',
    from: 'this.hub.reopen(ids);',
    to: '',
  },
  {
    bug: 'a dead worker leaves its write sections open',
    file: 'src/shard/task.js',
    from: 'whatever the dead writer left; then even again.\n        Atomics.store(i32, ints + VERSION, (i32[ints + VERSION] | 1) + 2);',
    to: '\n        Atomics.store(i32, ints + VERSION, i32[ints + VERSION] + 2);',
  },
  {
    bug: 'an audit compares its snapshot as it came',
    file: 'src/shard/audit-scratch.js',
    from: 'this.exchangeTimeMs = push.exchangeTimeMs;\n        this.#put(push);',
    to: 'this.exchangeTimeMs = push.exchangeTimeMs;',
  },
  {
    bug: 'an audit overlooks what it finds',
    file: 'src/shard/audit-comparison.js',
    from: 'return this.wrong + this.ghosts + this.missing === 0',
    to: 'return true',
  },
  {
    bug: 'trades that are on the tape are held once more',
    file: 'src/shard/symbol-tape.js',
    from: '!this.#held.has(deals, i) && !tapes.has(slot, deals, i)',
    to: '!this.#held.has(deals, i)',
    lines: 2,
  },
  {
    bug: 'trades of the moment in which an answer begins change places',
    file: 'src/tape/merge-trades.js',
    from: 'isCutOff(a) - isCutOff(b)',
    to: '0',
  },
  {
    bug: 'the best level stays when it is removed',
    file: 'src/book/ladder.js',
    from: 'bestRemoved |= changed;',
    to: '',
  },
];

const built = fileURLToPath(new URL('../..', import.meta.url));
const packageRoot = join(built, '../..');

// First that there still is a place for each: code moves on.
for (const { file, from, also } of mutants) {
  const code = readFileSync(join(built, file), 'utf8');
  for (const place of also === undefined ? [from] : [from, also.from]) {
    const places = code.split(place).length - 1;
    if (places !== 1) throw new Error(`${file} holds ${places} times: ${place}`);
  }
}
if (process.argv.includes('--check')) process.exit();

let missed = 0;
for (const { bug, file, from, to, also, lines = 1 } of mutants) {
  const copy = mkdtempSync(join(tmpdir(), 'mutant-'));
  try {
    cpSync(built, copy, { recursive: true });
    cpSync(join(packageRoot, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'));
    const path = join(copy, file);
    const mutant = readFileSync(path, 'utf8').replace(from, to);
    writeFileSync(path, also === undefined ? mutant : mutant.replace(also.from, also.to));
    const script = join(copy, 'test/simulation/run.js');
    const result = spawnSync(process.execPath, [script, '--stop', '--seeds', String(SEEDS_MAX), '--lines', String(lines)], {
      encoding: 'utf8',
    });
    const finding = /^seed .*/m.exec(result.stdout)?.[0];
    if (finding === undefined) missed++;
    process.stdout.write(`${finding === undefined ? 'MISSED' : 'found '} ${bug}: ${finding ?? result.stderr.slice(0, 300)}\n`);
  } finally {
    rmSync(copy, { recursive: true });
  }
}
process.stdout.write(`${mutants.length - missed} of ${mutants.length} bugs found within ${SEEDS_MAX} seeds\n`);
process.exitCode = missed > 0 ? 1 : 0;
