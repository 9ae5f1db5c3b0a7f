import type { TextLevel } from './model-book.js';

/** A data message of `/ws`, channel `book`. */
export type BookMessage = SnapshotMessage | DeltaMessage | StateMessage;

interface Whole {
  readonly ch: 'book';
  readonly sym: string;
  readonly depth: number | 'full';
  readonly interval: number;
  readonly epoch: number;
  readonly seq: number;
  readonly xv: readonly [from: number, to: number];
  readonly b: readonly TextLevel[];
  readonly a: readonly TextLevel[];
}

export interface SnapshotMessage extends Whole {
  readonly type: 'snapshot';
  readonly prev: null;
  readonly reason: string;
}

export interface DeltaMessage extends Whole {
  readonly type: 'delta';
  readonly prev: number;
}

export interface StateMessage {
  readonly ch: 'book';
  readonly sym: string;
  readonly depth: number | 'full';
  readonly interval: number;
  readonly type: 'state';
  readonly state: string;
  readonly reason: string;
  readonly epoch: number;
  readonly seq: number;
}

/**
 * What a careful client makes of one `book` subscription, knowing nothing but the published rules: a snapshot replaces everything, a delta
 * follows only on the message before it, a new epoch begins with a snapshot, and nothing is to be trusted after a state other than live.
 * Prices are keys as they came, as text. Whatever breaks a rule is kept in `faults`.
 */
export class PushFollower {
  readonly symbol: string;
  readonly depth: number | 'full';
  readonly faults: string[] = [];
  /** A snapshot came and no bad news since. */
  live = false;
  epoch = 0;
  seq = 0;
  /** The exchange's. */
  version = 0;
  deltas = 0;
  /** Reasons of the snapshots, in order. */
  readonly snapshots: string[] = [];
  /** States other than live, in order. */
  readonly states: string[] = [];
  readonly #bids = new Map<string, string>();
  readonly #asks = new Map<string, string>();

  /** Called after every message that changed the book. */
  onChange: () => void = () => {};

  constructor(symbol: string, depth: number | 'full') {
    this.symbol = symbol;
    this.depth = depth;
  }

  take(message: BookMessage): void {
    switch (message.type) {
      case 'snapshot':
        return this.#snapshot(message);
      case 'delta':
        return this.#delta(message);
      case 'state':
        this.live = false;
        this.states.push(`${message.state} ${message.reason}`);
        return;
      default:
        message satisfies never;
        this.#fault(`a message of unknown type ${JSON.stringify(message)}`);
    }
  }

  bids(): TextLevel[] {
    return [...this.#bids].sort(([a], [b]) => compareText(b, a));
  }

  asks(): TextLevel[] {
    return [...this.#asks].sort(([a], [b]) => compareText(a, b));
  }

  #snapshot(message: SnapshotMessage): void {
    const { epoch, seq, prev } = message;
    if (prev !== null) this.#fault(`a snapshot with prev ${String(prev)}`);
    if (epoch < this.epoch || seq < this.seq)
      this.#fault(`a snapshot went back from epoch ${this.epoch} seq ${this.seq} to ${epoch}, ${seq}`);
    this.#bids.clear();
    this.#asks.clear();
    this.live = true;
    this.snapshots.push(message.reason);
    this.#apply(message);
  }

  #delta(message: DeltaMessage): void {
    const { epoch, seq, prev, xv } = message;
    if (!this.live) return this.#fault(`a delta (seq ${seq}) without a snapshot before it`);
    if (epoch !== this.epoch) this.#fault(`a delta of epoch ${epoch} in epoch ${this.epoch}`);
    if (prev !== this.seq) this.#fault(`a delta with prev ${prev} at seq ${this.seq}`);
    if (seq <= this.seq) this.#fault(`a delta went from seq ${this.seq} to ${seq}`);
    // An audit may set right what was not proven, at the same version.
    if (xv[0] !== this.version + 1 && xv[1] !== this.version) this.#fault(`a delta from version ${xv[0]} at version ${this.version}`);
    this.deltas++;
    this.#apply(message);
  }

  #apply({ epoch, seq, xv, b, a }: Whole): void {
    setLevels(this.#bids, b);
    setLevels(this.#asks, a);
    this.epoch = epoch;
    this.seq = seq;
    this.version = xv[1];
    if (this.depth !== 'full' && (this.#bids.size > this.depth || this.#asks.size > this.depth)) {
      this.#fault(`${this.#bids.size} bids and ${this.#asks.size} asks at seq ${seq}`);
    }
    this.onChange();
  }

  #fault(text: string): void {
    this.faults.push(`${this.symbol} ${this.depth}: ${text}`);
  }
}

function setLevels(side: Map<string, string>, levels: readonly TextLevel[]): void {
  for (const [price, quantity] of levels) {
    if (quantity === '0') side.delete(price);
    else side.set(price, quantity);
  }
}

/** Numbers with the same count of decimals, by size: the longer one is larger. */
function compareText(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
