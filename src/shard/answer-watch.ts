import type { ShardEgress } from './egress.js';
import type { ShardIngress } from './ingress.js';

/** The loop is held up by no more than this in a turn; a worker that has a core takes some five for a push. */
const LOOK_US_MAX = 50;
/** After looks in vain, one after the other, so many turns at most go by without one: a worker that does not answer has no core, perhaps because we look. */
const SKIPPED_MAX = 64;
/** A shard that has more than this to read will not be through with it in that time. */
const UNREAD_BYTES_MAX = 16 * 1024;

/**
 * Where shards do not sleep (`--spin-us`): after a turn with pushes, once all sockets were read, looks at the outbound rings for what the shards have to say to them. That takes
 * some microseconds, falling asleep and being woken some tens. What a shard says later wakes this thread as ever. Main thread only.
 */
export class AnswerWatch {
  readonly #ingress: Pick<ShardIngress, 'usedBytes'>;
  readonly #egresses: readonly Pick<ShardEgress, 'attend' | 'take' | 'usedBytes'>[];
  readonly #lookMs: number;
  readonly #clock: () => number;
  #expecting = false;
  #looking = false;
  /** Turns to go by without a look, and how many after the next look in vain. */
  #skip = 0;
  #skipNext = 1;

  /** `spinUs`: longest look, all shards together, up to 50 microseconds. */
  constructor(
    ingress: Pick<ShardIngress, 'usedBytes'>,
    egresses: readonly Pick<ShardEgress, 'attend' | 'take' | 'usedBytes'>[],
    spinUs: number,
    clock: () => number = () => performance.now(),
  ) {
    this.#ingress = ingress;
    this.#egresses = egresses;
    this.#lookMs = Math.min(spinUs, LOOK_US_MAX) / 1000;
    this.#clock = clock;
  }

  /** Shards are about to be shown pushes of this turn. */
  expect(): void {
    if (this.#expecting) return;
    this.#expecting = true;
    this.#looking = --this.#skip < 0;
    if (this.#looking) for (const egress of this.#egresses) egress.attend();
    setImmediate(this.#look);
  }

  readonly #look = (): void => {
    this.#expecting = false;
    if (!this.#looking) return;
    const untilMs = this.#clock() + this.#lookMs;
    let inVain = false;
    for (let shard = 0; shard < this.#egresses.length; shard++) {
      const egress = this.#egresses[shard]!;
      let isDone: boolean;
      do isDone = egress.usedBytes() > 0 || !this.#isAtWork(shard);
      while (!isDone && this.#clock() < untilMs);
      inVain ||= !isDone;
      // Also when nothing was seen: a shard writes its answer, then gives back what it has read, and may have done both between our two looks.
      egress.take();
    }
    this.#skip = inVain ? this.#skipNext : 0;
    this.#skipNext = inVain ? Math.min(2 * this.#skipNext, SKIPPED_MAX) : 1;
  };

  /** Whether a shard has not read all it was shown, and may soon have. */
  #isAtWork(shard: number): boolean {
    const unread = this.#ingress.usedBytes(shard);
    return unread > 0 && unread <= UNREAD_BYTES_MAX;
  }
}
