import {
  BITS,
  CHILDREN,
  FIRST_CHILD,
  FIRST_PAGE,
  HEIGHT,
  HEIGHT_MAX,
  HOT_LEVEL,
  HOT_NODE,
  HOT_NUMBER,
  LEAF_BITS,
  LEAF_LEVELS,
  LEAF_TICKS,
  LEAF_WORDS,
  LEVELS,
  PACKED_LOTS,
  PACKED_SIZE,
  PACKED_STEP,
  PAGE_TICKS,
  PAGES,
  PAGES_PER_LEVEL,
  ROOT,
  SPAN,
  SPARE_PAGES,
} from '../../src/book/ladder-layout.js';

const PAGE_WORDS = PAGE_TICKS;
const NODE_WORDS = 1 + CHILDREN / 2;

export interface LadderFacts {
  /** In order of price. */
  readonly ticks: readonly number[];
  /** Words of all blocks. */
  readonly words: number;
  /** Packed leaves. */
  readonly packed: number;
}

/**
 * Walks a whole ladder and throws when its tree contradicts itself: a bit without a level below it or a level without its bits, a level
 * without a page, a block that hangs in two places, a wrong count of levels or pages, more empty pages than allowed, a hot node that is not
 * where it says, a packed leaf whose levels do not fit in.
 */
export function checkLadder(i32: Int32Array, side: number): LadderFacts {
  const root = i32[side + ROOT]!;
  const height = i32[side + HEIGHT]!;
  const ticks: number[] = [];
  const blocks = new Set<number>();
  let words = 0;
  let pages = 0;
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
    const size = entry < 0 ? i32[leaf + PACKED_SIZE]! & 0xffff : LEAF_WORDS;
    use(leaf / 2, size);
    if (entry < 0) {
      packed++;
      if (size % PACKED_STEP !== 0 || PACKED_LOTS + i32[leaf + LEAF_LEVELS]! > size)
        throw new Error(`a packed leaf of ${size} words at tick ${tick}`);
    }
    const before = ticks.length;
    for (let child = 0; child < (entry > 0 ? CHILDREN : 0); child++) {
      const page = i32[leaf + FIRST_PAGE + child]!;
      if (page === 0) continue;
      use(page, PAGE_WORDS);
      pages++;
    }
    for (let place = 0; place < LEAF_TICKS; place++) {
      if (((i32[leaf + LEAF_BITS + (place >> 5)]! >>> (place & 31)) & 1) === 0) continue;
      if (entry > 0 && i32[leaf + FIRST_PAGE + Math.floor(place / PAGE_TICKS)] === 0) throw new Error(`tick ${tick + place} has no page`);
      ticks.push(tick + place);
    }
    if (ticks.length - before !== i32[leaf + LEAF_LEVELS]) throw new Error(`the leaf at tick ${tick} counts its levels wrongly`);
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
    return { ticks, words, packed };
  }
  if (height < HOT_LEVEL || height > HEIGHT_MAX) throw new Error(`height ${height}`);
  visitNode(root, height, 0);
  if (ticks.length !== i32[side + LEVELS]) throw new Error(`${ticks.length} levels are counted as ${i32[side + LEVELS]}`);
  if (pages !== i32[side + PAGES]) throw new Error(`${pages} pages are counted as ${i32[side + PAGES]}`);
  if (pages > PAGES_PER_LEVEL * ticks.length + SPARE_PAGES) throw new Error(`${pages} pages for ${ticks.length} levels`);
  if (i32[side + HOT_NODE] !== 0 && i32[side + HOT_NODE] !== hotNode) throw new Error('the hot node is another one');
  return { ticks, words, packed };
}
