import type { Connection, ConnectionHandlers } from './connection.js';
import type { StreamLine } from './stream-line.js';

/** A push held back for the overlap. */
export interface HeldFrame {
  readonly bytes: Buffer;
  readonly receiveTimeMs: number;
  readonly isText: boolean;
}

export interface ReplacementOptions {
  readonly old: Connection;
  readonly fresh: Connection;
  /** Those to carry over. */
  readonly lines: readonly StreamLine[];
  readonly holdMs: number;
  /** A channel that is refused is left behind, as long as not most of them are; otherwise the first refusal ends it. */
  readonly tolerant: boolean;
  /** Everything is subscribed on `fresh` and its stream overlaps with the old one's. */
  readonly ready: (replacement: Replacement) => void;
  /** Subscriptions were refused or the connection lost: the old connection stays. */
  readonly failed: (replacement: Replacement, reason: string) => void;
}

/** The 10 ms channels of 30 symbols push at most 3,000 frames a second. With more than can be held the old connection stays: none is left out. */
const HELD_FRAMES_MAX = 20_000;

/**
 * Takes an ageing connection's place without a hole: subscribes the same channels on a second connection and holds the last
 * moments of its stream back. Two connections deliver the same versions at different times; when the old one
 * goes, the held frames repeat its last ones and go on from there; the shards know depth by its versions and trades by their ids.
 */
export class Replacement {
  readonly old: Connection;
  readonly fresh: Connection;
  readonly #options: ReplacementOptions;
  readonly #unanswered: Set<string>;
  readonly #refused = new Map<string, string>();
  #held: HeldFrame[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** The old connection's last frame when it was last looked at. */
  #lastReceived = Infinity;
  #isThrough = (): boolean => false;
  #over = false;

  constructor(options: ReplacementOptions) {
    this.#options = options;
    this.old = options.old;
    this.fresh = options.fresh;
    this.#unanswered = new Set(options.lines.map((line) => line.channel));
    this.fresh.handlers = this.#handlers();
  }

  get channels(): readonly string[] {
    return this.#options.lines.map((line) => line.channel);
  }

  /** Channels the exchange does not give any more, each with its reason. */
  get refused(): ReadonlyMap<string, string> {
    return this.#refused;
  }

  start(): void {
    this.fresh.open();
  }

  /** Ends it, either way; returns what was held back. */
  end(): readonly HeldFrame[] {
    this.#over = true;
    clearTimeout(this.#timer);
    const held = this.#held;
    this.#held = [];
    return held;
  }

  #handlers(): ConnectionHandlers {
    return {
      frame: (_connection, bytes, start, end, receiveTimeMs) =>
        this.#hold({ bytes: Buffer.from(bytes.subarray(start, end)), receiveTimeMs, isText: false }),
      text: (_connection, bytes, receiveTimeMs) => this.#hold({ bytes, receiveTimeMs, isText: true }),
      opened: () => {
        for (const channel of this.#unanswered) this.fresh.subscribe(channel);
      },
      lost: (_connection, reason) => this.#fail(reason),
      accepted: (_connection, channel) => this.#answered(channel),
      refused: (_connection, channel, reason) => {
        this.#refused.set(channel, reason);
        const bearable = this.#options.tolerant && 2 * this.#refused.size <= this.channels.length;
        if (bearable) this.#answered(channel);
        else this.#fail(`${channel}: ${reason}`);
      },
      isFlowing: () => false,
    };
  }

  #answered(channel: string): void {
    this.#unanswered.delete(channel);
    if (this.#unanswered.size > 0 || this.#over) return;
    this.#lastReceived = this.old.lastReceived;
    this.#isThrough = this.old.probe();
    this.#timer = setTimeout(() => this.#overlap(), this.#options.holdMs);
  }

  /**
   * What came before the new connection's first push comes on the old one alone, and of trades nothing tells that they are missing. One that lags has it still under
   * way until the answer is there, which the heartbeat sees to; one that is dead without anybody knowing never brings it.
   */
  #overlap(): void {
    if (this.#isThrough()) return this.#options.ready(this);
    const { lastReceived } = this.old;
    if (lastReceived <= this.#lastReceived) return this.#fail('the old connection gives no sign of life');
    this.#lastReceived = lastReceived;
    this.#timer = setTimeout(() => this.#overlap(), this.#options.holdMs);
  }

  #fail(reason: string): void {
    if (!this.#over) this.#options.failed(this, reason);
  }

  #hold(frame: HeldFrame): void {
    this.#held.push(frame);
    if (this.#held.length > HELD_FRAMES_MAX) this.#fail(`more than ${HELD_FRAMES_MAX} pushes wait`);
  }
}
