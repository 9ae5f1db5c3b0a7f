import { StreamKind } from '../model/feed.js';

/** The channel of a push is none the feed subscribes to. */
export const UNKNOWN_KIND = -1;

/** `spot@public.`: the kind of channel begins behind it. */
const KIND_OFFSET = 12;
/** The longest name looked at, `aggre.depth`. */
const KIND_BYTES = 11;
/** `aggre.`: these channels name the speed before the symbol. */
const AGGRE = [0x61, 0x67, 0x67, 0x72, 0x65, 0x2e] as const;

const D = 0x64;
const E = 0x65;
const A = 0x61;
const K = 0x6b;
const M = 0x6d;
const P = 0x70;
const S = 0x73;

/**
 * What a push is about, from the bytes of its channel's name (`spot@public.aggre.depth.v3…`): the few that tell the names of MEXC apart,
 * without making a string. `deals` is the retired name of `aggre.deals`. Hot: every frame of the process passes here.
 */
export function streamKindOf(bytes: Uint8Array, start: number, end: number): StreamKind | typeof UNKNOWN_KIND {
  const kind = start + KIND_OFFSET;
  if (kind + KIND_BYTES > end) return UNKNOWN_KIND;
  const first = bytes[kind];
  if (first === A) {
    if (!isAggregated(bytes, start, end)) return UNKNOWN_KIND;
    const name = kind + AGGRE.length;
    // depth, deals, bookTicker
    if (bytes[name] !== D || bytes[name + 1] !== E) return UNKNOWN_KIND;
    return bytes[name + 2] === P ? StreamKind.DEPTH : bytes[name + 2] === A ? StreamKind.DEALS : UNKNOWN_KIND;
  }
  if (first === K) return StreamKind.KLINE;
  // miniTickers, miniTicker
  if (first === M) return bytes[kind + 10] === S ? StreamKind.MINI_TICKERS : UNKNOWN_KIND;
  return first === D && bytes[kind + 1] === E && bytes[kind + 2] === A ? StreamKind.DEALS : UNKNOWN_KIND;
}

export function isAggregated(bytes: Uint8Array, start: number, end: number): boolean {
  const kind = start + KIND_OFFSET;
  if (kind + AGGRE.length > end) return false;
  for (let i = 0; i < AGGRE.length; i++) if (bytes[kind + i] !== AGGRE[i]) return false;
  return true;
}
