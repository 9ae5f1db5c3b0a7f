/** The ticks of one side that changed since the last publication of a full book, each at least once. */
export class DirtyLevels {
  count = 0;
  ticks = new Float64Array(256);

  /** Adds `count` ticks. Returns false when more than `limit` are pending even without repetitions: send the whole book instead. */
  add(ticks: Float64Array, count: number, limit: number): boolean {
    if (this.count + count > limit) {
      this.settle();
      if (this.count + count > limit) return false;
    }
    if (this.count + count > this.ticks.length) {
      const larger = new Float64Array(2 * (this.count + count));
      larger.set(this.ticks.subarray(0, this.count));
      this.ticks = larger;
    }
    for (let i = 0; i < count; i++) this.ticks[this.count + i] = ticks[i]!;
    this.count += count;
    return true;
  }

  /** Sorts the ticks, lowest first, and drops repetitions. */
  settle(): void {
    const sorted = this.ticks.subarray(0, this.count).sort();
    let unique = 0;
    for (let i = 0; i < sorted.length; i++) {
      if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[unique++] = sorted[i]!;
    }
    this.count = unique;
  }

  clear(): void {
    this.count = 0;
  }
}
