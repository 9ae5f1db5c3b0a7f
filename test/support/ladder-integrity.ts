import {
  BITS,
  CHILDREN,
  FIRST_CHILD,
  HEIGHT,
  HEIGHT_MAX,
  HOT_LEVEL,
  HOT_NODE,
  HOT_NUMBER,
  LEAF_BITS,
  LEAF_LEVELS,
  LEAF_TICKS,
  LEVELS,
  NODE_WORDS,
  PACKED_BELOW,
  PACKED_LOTS,
  PACKED_SIZE,
  PACKED_SIZES,
  ROOT,
  SPAN,
  WIDE,
  WIDE_WORDS,
} from '../../src/book/ladder-layout.js';

export interface LadderFacts {
  /** In order of price. */
  readonly ticks: readonly number[];
  /** Words of all blocks. */
  readonly words: number;
  /** Leaves of either kind. */
  readonly packed: number;
  readonly wide: number;
}

/**
 * Walks a whole ladder and throws when its tree contradicts itself: a bit without a level below it or a level without its bits, a block that hangs in two places, a wrong count of levels or wide leaves, a hot node that is not where it says, a packed leaf that is
 * empty, counts its levels wrongly or has no room for them.
 */
export function checkLadder(i32: Int32Array, side: number): LadderFacts {
  const root = i32[side + ROOT]!;
  const height = i32[side + HEIGHT]!;
  const ticks: number[] = [];
  const blocks = new Set<number>();
  let words = 0;
  let wide = 0;
  let packed = 0;
  let hotNode = 0;

  const use = (word: number, size: number): void => {
    for (let i = word; i < word + size; i++) {
      if (blocks.has(i)) throw new Error(`word ${i} is in two blocks`);
      blocks.add(i);
    }
    words += size;
  };
  const visitLeaf = (entry: number, tick: number): void => {
    const leaf = Math.abs(entry);
    const size = entry < 0 ? i32[leaf + PACKED_SIZE]! & 0xffff : WIDE_WORDS;
    use(leaf / 2, size);
    if (entry > 0) wide++;
    else packed++;
    const levels = i32[leaf + LEAF_LEVELS]!;
    if (entry < 0 && (!PACKED_SIZES.includes(size) || PACKED_LOTS + levels > size || levels === 0)) {
      throw new Error(`a packed leaf of ${size} words has ${levels} levels at tick ${tick}`);
    }
    const before = ticks.length;
    for (let place = 0; place < LEAF_TICKS; place++) {
      if (entry < 0 && place % 32 === 0) {
        const below = (i32[leaf + PACKED_BELOW + (place >> 7)]! >>> (((place >> 5) & 3) * 8)) & 0xff;
        if (below !== ticks.length - before) throw new Error(`${below} levels below tick ${tick + place}, not ${ticks.length - before}`);
      }
      if (((i32[leaf + LEAF_BITS + (place >> 5)]! >>> (place & 31)) & 1) === 1) ticks.push(tick + place);
    }
    if (ticks.length - before !== levels) throw new Error(`the leaf at tick ${tick} counts its levels wrongly`);
  };
  const visitNode = (node: number, level: number, tick: number): void => {
    use(node / 2, NODE_WORDS);
    const bits = i32[node + BITS]!;
    if (level === HOT_LEVEL && tick === i32[side + HOT_NUMBER]! * SPAN[HOT_LEVEL + 1]!) hotNode = node;
    for (let child = 0; child < CHILDREN; child++) {
      const next = i32[node + FIRST_CHILD + child]!;
      const before = ticks.length;
      if (next !== 0 && level > 2) visitNode(next, level - 1, tick + child * SPAN[level]!);
      else if (next !== 0) visitLeaf(next, tick + child * SPAN[level]!);
      if (ticks.length > before !== (((bits >>> child) & 1) === 1))
        throw new Error(`bit ${child} of level ${level} at tick ${tick} is wrong`);
    }
  };

  if (root === 0) {
    if (i32[side + LEVELS] !== 0) throw new Error('levels without a ladder');
    return { ticks, words, packed, wide };
  }
  if (height < HOT_LEVEL || height > HEIGHT_MAX) throw new Error(`height ${height}`);
  visitNode(root, height, 0);
  if (ticks.length !== i32[side + LEVELS]) throw new Error(`${ticks.length} levels are counted as ${i32[side + LEVELS]}`);
  if (wide !== i32[side + WIDE]) throw new Error(`${wide} wide leaves are counted as ${i32[side + WIDE]}`);
  if (i32[side + HOT_NODE] !== 0 && i32[side + HOT_NODE] !== hotNode) throw new Error('the hot node is another one');
  return { ticks, words, packed, wide };
}
