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
  /** A history that shows it: the first of those that `npm test` runs where there is one. `undefined` = none of them, since another rule makes up for it. */
  readonly seed: number | undefined;
}

/** Looked through for a bug that its own history shows no more, or that none is expected to show. */
const SEEDS_MAX = 200;
const JOBS = 2;

const mutants: readonly Mutant[] = [
  {
    bug: 'the sequence rule takes a push behind a hole of one',
    file: 'src/mexc/sequence.js',
    from: 'return from <= last + 1',
    to: 'return from <= last + 2',
    seed: 3,
  },
  {
    bug: 'a push that straddles the snapshot is dropped',
    file: 'src/mexc/sequence.js',
    from: 'if (to <= last)',
    to: 'if (from <= last)',
    seed: 1,
  },
  {
    bug: 'a snapshot opens no epoch',
    file: 'src/book/order-books.js',
    from: 'i32[ints + EPOCH] = i32[ints + EPOCH] + 1',
    to: 'i32[ints + EPOCH] = i32[ints + EPOCH]',
    seed: 1,
  },
  {
    bug: 'a snapshot is added to the book it should replace',
    file: 'src/book/order-books.js',
    from: 'this.#ladders.destroy(ints + side);\n            this.#ladders.create(ints + side);',
    to: 'if (this.#i32[ints + side] === 0)\n this.#ladders.create(ints + side);',
    seed: 1,
  },
  {
    bug: 'pushes that waited for the snapshot are forgotten',
    file: 'src/shard/book-keeper.js',
    from: 'for (let i = 0; i < pending.count; i++) {\n            if (this.#decoder.decodeKept',
    to: 'for (let i = 0; i < 0; i++) {\n            if (this.#decoder.decodeKept',
    also: { from: 'if (books.version(slot) !== reach)', to: 'if (false)' },
    seed: undefined,
  },
  {
    bug: 'what a bad frame held is not missed',
    file: 'src/shard/book-keeper.js',
    from: 'if (outcome !== DepthDecode.NOT_DEPTH && this.#trust.isFollowing(book))',
    to: 'if (false)',
    seed: 28,
  },
  {
    bug: 'a snapshot from before a lost push is taken',
    file: 'src/shard/book-keeper.js',
    from: 'this.#trust.isTooOld(book, version, book.lostAfter + 1, timeMs)',
    to: 'false',
    also: { from: 'this.#trust.isTooOld(book, reach, book.lostAfter + 1, timeMs)', to: 'false' },
    seed: 188,
  },
  {
    bug: 'deltas name the wrong predecessor',
    file: 'src/shard/book-publication.js',
    from: 'this.#lastSeq = this.#books.seq(this.#slot);\n        this.#lastVersion',
    to: 'this.#lastSeq = this.#books.seq(this.#slot) - 1;\n        this.#lastVersion',
    seed: 1,
  },
  {
    bug: 'a top of the book is compared with another than the one sent',
    file: 'src/shard/book-publication.js',
    from: '        this.#swapWindows();\n        this.#sent',
    to: '        this.#sent',
    seed: 1,
  },
  {
    bug: 'levels changed between two messages are forgotten',
    file: 'src/shard/book-publication.js',
    from: 'this.#dirtyBids.add(delta.bids.ticks, delta.bids.count, DIRTY_LIMIT)',
    to: 'true',
    seed: 1,
  },
  {
    bug: 'a slow client goes on with deltas after a hole',
    file: 'src/publish/subscriber.js',
    from: 'if (!subscription.waiting)\n            this.#needSnapshotAfterSlowness(subscription);',
    to: '',
    seed: 21,
  },
  {
    bug: 'a subscription that fell behind never asks for its snapshot',
    file: 'src/publish/subscriber.js',
    from: '        this.owe(subscription, reason);',
    to: '',
    also: { from: 'else\n                this.owe(subscription, subscription.reason);', to: '' },
    seed: 21,
  },
  {
    bug: 'a dead worker takes its subscriptions along',
    file: 'src/engine/pipeline.js',
    from: 'this.hub.reopen(ids);',
    to: '',
    seed: 4,
  },
  {
    bug: 'a dead worker leaves its write sections open',
    file: 'src/shard/task.js',
    from: 'whatever the dead writer left; then even again.\n        Atomics.store(i32, ints + VERSION, (i32[ints + VERSION] | 1) + 2);',
    to: '\n        Atomics.store(i32, ints + VERSION, i32[ints + VERSION] + 2);',
    seed: 7,
  },
  {
    bug: 'an audit compares its snapshot as it came',
    file: 'src/shard/audit-scratch.js',
    from: 'this.exchangeTimeMs = push.exchangeTimeMs;\n        this.#put(push);',
    to: 'this.exchangeTimeMs = push.exchangeTimeMs;',
    seed: 5,
  },
  {
    bug: 'an audit overlooks what it finds',
    file: 'src/shard/audit-comparison.js',
    from: 'return this.wrong + this.ghosts + this.missing === 0',
    to: 'return true',
    seed: 15,
  },
  {
    bug: 'trades that are on the tape are held once more',
    file: 'src/shard/symbol-tape.js',
    from: '!this.#held.has(deals, i) && !tapes.has(slot, deals, i)',
    to: '!this.#held.has(deals, i)',
    lines: 2,
    seed: undefined,
  },
  {
    bug: 'trades of the moment in which an answer begins change places',
    file: 'src/tape/merge-trades.js',
    from: 'isCutOff(a) - isCutOff(b)',
    to: '0',
    seed: 85,
  },
  {
    bug: 'the best level stays when it is removed',
    file: 'src/book/ladder.js',
    from: 'bestRemoved |= changed;',
    to: '',
    seed: 1,
  },
  {
    bug: 'a publication that is closed stays open in its shard',
    file: 'src/shard/publications.js',
    from: '        this.#open.delete(id);',
    to: '',
    seed: 1,
  },
  {
    bug: 'pushes that waited are kept when the book is live',
    file: 'src/shard/book-keeper.js',
    from: 'pending.clear();\n        // The snapshot says',
    to: '// The snapshot says',
    seed: 1,
  },
  {
    bug: 'requests go on before Retry-After is over',
    file: 'src/feed/snapshot-budget.js',
    from: 'const pauseMs = Math.max(0, this.#pausedUntil - now);',
    to: 'const pauseMs = 0; this.#countedAt = now;',
    seed: 9,
  },
  // Bugs that histories found, each with the one that did; see `simulation.test.ts`.
  {
    bug: 'where a push led that found no room is not told',
    file: 'src/shard/ingress.js',
    from: 'depthVersion(bytes, start, end), receiveTimeMs',
    to: '-1, receiveTimeMs',
    seed: 188,
  },
  {
    bug: 'snapshots older than what is known are never believed',
    file: 'src/shard/book-trust.js',
    from: 'book.oldSnapshots >= OLD_SNAPSHOTS_MAX',
    to: 'false',
    seed: 408,
  },
  {
    bug: 'what came on a connection that does not take over is not looked at',
    file: 'src/feed/rotation.js',
    from: 'router.routeDepth(old, bytes, receiveTimeMs);',
    to: ';',
    seed: 4424,
  },
  {
    bug: 'old audits of a quiet symbol say nothing of a new count',
    file: 'src/shard/book-keeper.js',
    from: '++book.oldAudits < OLD_AUDITS_MAX',
    to: 'true',
    seed: 6847,
  },
  {
    bug: 'what is heard of a silent book calls for no snapshot',
    file: 'src/feed/book-sync.js',
    from: 'if (router.hasHeard(line))\n                this.#scheduler.request(line, Urgency.CHECK, 0);',
    to: 'if (router.hasHeard(line))\n                ;',
    seed: 9301,
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

const wanted = process.argv[process.argv.indexOf('--bug') + 1];
const chosen = process.argv.includes('--bug') ? mutants.filter(({ bug }) => bug.includes(wanted!)) : mutants;

/** What a history, or the first of several, shows in the built code in `directory`. */
function finding(directory: string, from: number, count: number, lines: number): string | undefined {
  const script = join(directory, 'test/simulation/run.js');
  const flags = [
    '--stop',
    '--from',
    String(from),
    '--seeds',
    String(count),
    '--lines',
    String(lines),
    '--jobs',
    String(Math.min(count, JOBS)),
  ];
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...flags], { encoding: 'utf8' });
  const seeds = [...stdout.matchAll(/^seed (\d+): .*/gm)].sort(([, a], [, b]) => Number(a) - Number(b));
  // A bug may end the process before it comes to a finding.
  return seeds[0]?.[0] ?? (status === 0 ? undefined : `seed ${from} or later: ${stderr.slice(0, 300)}`);
}

// What shows a bug must show nothing without it.
const histories = new Set(chosen.flatMap(({ seed, lines = 1 }) => (seed === undefined ? [] : [`${seed} ${lines}`])));
let failed = 0;
for (const history of histories) {
  const [seed, lines] = history.split(' ').map(Number) as [number, number];
  const found = finding(built, seed, 1, lines);
  if (found === undefined) continue;
  failed++;
  process.stdout.write(`FAILED without any bug, on ${lines === 1 ? 'one line' : 'two lines'}: ${found}\n`);
}

for (const { bug, file, from, to, also, lines = 1, seed } of failed === 0 ? chosen : []) {
  const copy = mkdtempSync(join(tmpdir(), 'mutant-'));
  try {
    cpSync(built, copy, { recursive: true });
    cpSync(join(packageRoot, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'));
    const path = join(copy, file);
    const mutant = readFileSync(path, 'utf8').replace(from, to);
    writeFileSync(path, also === undefined ? mutant : mutant.replace(also.from, also.to));
    const found = (seed === undefined ? undefined : finding(copy, seed, 1, lines)) ?? finding(copy, 1, SEEDS_MAX, lines);
    const asExpected = (found === undefined) === (seed === undefined);
    if (!asExpected) failed++;
    const verdict =
      found === undefined ? (asExpected ? 'missed, as expected' : 'MISSED') : asExpected ? 'found' : 'FOUND, which was not expected';
    process.stdout.write(`${verdict}: ${bug}${found === undefined ? '' : `: ${found}`}\n`);
  } finally {
    rmSync(copy, { recursive: true });
  }
}
process.stdout.write(failed === 0 ? `${chosen.length} bugs, all as expected\n` : `${failed} not as expected\n`);
process.exitCode = failed > 0 ? 1 : 0;
