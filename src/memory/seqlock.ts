/*
 * One writing thread, any number of readers, no lock.
 *
 * The writer makes the version odd, changes the guarded words with plain stores, and makes the version even again. A reader loads
 * an even version, copies with plain loads, and loads the version once more: an equal number proves that no write section
 * overlapped the copy.
 *
 * Why that holds. Both version changes are sequentially consistent `Atomics` operations, and no engine moves a plain access
 * across one. Writer: version odd, then the data, then version even. Reader: first load before the copy, second load after it.
 *   - x86-64 keeps loads in order with loads and stores in order with stores, so a reader that copied a single new word must
 *     find the odd (or a later) version at its second load.
 *   - ARM64 may move the copy's plain loads behind a plain acquire load of the version. The second look is therefore a
 *     read-modify-write (`Atomics.add(…, 0)`), whose release half keeps earlier loads before it. This is by reasoning; it
 *     was not run on such a machine.
 *
 * The copy itself may hold torn doubles; that is harmless because it is thrown away. Readers of linked structures must survive
 * nonsense (bounded loops, checked indices) until the second look tells them.
 */

/** Opens a write section. Writer thread only; sections do not nest. */
export function writeBegin(words: Int32Array, index: number): void {
  // A read-modify-write, so that on ARM64 its acquire half keeps the data stores behind it.
  Atomics.add(words, index, 1);
}

/** Closes a write section. */
export function writeEnd(words: Int32Array, index: number): void {
  Atomics.add(words, index, 1);
}

/** The version before a copy; odd = a write is under way, try again. */
export function readBegin(words: Int32Array, index: number): number {
  return Atomics.load(words, index);
}

/** True when nothing was written since `readBegin` returned `version`. */
export function readUnchanged(words: Int32Array, index: number, version: number): boolean {
  return Atomics.add(words, index, 0) === version;
}
