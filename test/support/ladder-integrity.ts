import {
  BITS,
  CHILDREN,
  FIRST_CHILD,
  HEIGHT,
  HEIGHT_MAX,
  HOT_LEVEL,
  HOT_NODE,
  HOT_NUMBER,
  LEVELS,
  PAGE_TICKS,
  ROOT,
  SPAN,
} from '../../src/book/ladder-layout.js';

const PAGE_WORDS = PAGE_TICKS;
const LEAF_WORDS = 1 + CHILDREN;
const NODE_WORDS = 1 + CHILDREN / 2;

export interface LadderFacts {
  /** In order of price. */
  readonly ticks: readonly number[];
  /** Words of all blocks. */
  readonly words: number;
}

/**
 * Walks a whole ladder and throws when its tree contradicts itself: a bit without a child or a child without a bit, an empty node that
 * is not the root, a block that hangs in two places, a wrong count of levels, a hot node that is not where it says.
 */
export function checkLadder(i32: Int32Array, side: number): LadderFacts {
  const root = i32[side + ROOT]!;
  const height = i32[side + HEIGHT]!;
  const ticks: number[] = [];
  const blocks = new Set<number>();
  let words = 0;
  let hotNode = 0;

  const use = (word: number, size: number): void => {
    for (let i = word; i < word + size; i++) {
      if (blocks.has(i)) throw new Error(`word ${i} is in two blocks`);
      blocks.add(i);
    }
    words += size;
  };
  const visitPage = (word: number, bits: number, tick: number): void => {
    use(word, PAGE_WORDS);
    if (bits === 0) throw new Error(`the page of tick ${tick} is empty`);
    if (bits >>> PAGE_TICKS !== 0) throw new Error(`the page of tick ${tick} has bits beyond its ticks`);
    for (let slot = 0; slot < PAGE_TICKS; slot++) if ((bits >>> slot) & 1) ticks.push(tick + slot);
  };
  const visitNode = (node: number, level: number, tick: number): void => {
    use(node / 2, level > 1 ? NODE_WORDS : LEAF_WORDS);
    const bits = i32[node + BITS]!;
    if (bits === 0 && node !== root) throw new Error(`the node of level ${level} at tick ${tick} is empty`);
    if (level === HOT_LEVEL && tick === i32[side + HOT_NUMBER]! * SPAN[HOT_LEVEL + 1]!) hotNode = node;
    for (let child = 0; child < CHILDREN; child++) {
      const index = node + FIRST_CHILD + (level > 1 ? child : 2 * child);
      if ((i32[index] !== 0) !== (((bits >>> child) & 1) === 1)) throw new Error(`bit ${child} of level ${level} at tick ${tick} is wrong`);
      if (i32[index] === 0) continue;
      const childTick = tick + child * SPAN[level]!;
      if (level > 1) visitNode(i32[index]!, level - 1, childTick);
      else visitPage(i32[index]!, i32[index + 1]!, childTick);
    }
  };

  if (root === 0) {
    if (i32[side + LEVELS] !== 0) throw new Error('levels without a ladder');
    return { ticks, words };
  }
  if (height < 1 || height > HEIGHT_MAX) throw new Error(`height ${height}`);
  visitNode(root, height, 0);
  if (ticks.length !== i32[side + LEVELS]) throw new Error(`${ticks.length} levels are counted as ${i32[side + LEVELS]}`);
  if (i32[side + HOT_NODE] !== 0 && i32[side + HOT_NODE] !== hotNode) throw new Error('the hot node is another one');
  return { ticks, words };
}
