/**
 * Which of many members are due at which tick, in constant time whatever their number: a ring of lists. A member further away than one round
 * of the ring waits in its list for a later round.
 */
export class TimerWheel {
  readonly #slots: number[][];
  readonly #dueTicks: Float64Array;

  constructor(members: number, slots = 1_024) {
    this.#slots = Array.from({ length: slots }, () => []);
    this.#dueTicks = new Float64Array(members);
  }

  /** Calls a member at `tick`, which must be in the future. A member waits for one tick at a time. */
  schedule(member: number, tick: number): void {
    this.#dueTicks[member] = tick;
    this.#slots[tick % this.#slots.length]!.push(member);
  }

  /** Takes out the members due at this tick, in the order they were scheduled. Every tick must be asked for, in order. */
  take(tick: number): readonly number[] {
    const index = tick % this.#slots.length;
    const slot = this.#slots[index]!;
    if (slot.length === 0) return slot;
    const due = slot.filter((member) => this.#dueTicks[member]! <= tick);
    this.#slots[index] = due.length === slot.length ? [] : slot.filter((member) => this.#dueTicks[member]! > tick);
    return due;
  }
}
