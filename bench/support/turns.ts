/** One measurement of each of two sides. */
export interface Pair<A, B> {
  readonly a: A;
  readonly b: B;
}

/**
 * Measures two sides in turn: warm-up pairs nobody counts, then `pairs` that count. Every second pair begins with the other side, so that a
 * machine that gets slower during a pair favours neither.
 */
export async function inTurn<A, B>(pairs: number, warmUps: number, a: () => Promise<A>, b: () => Promise<B>): Promise<Pair<A, B>[]> {
  const results: Pair<A, B>[] = [];
  for (let pair = -warmUps; pair < pairs; pair++) {
    let result: Pair<A, B>;
    if ((pair & 1) === 0) {
      const first = await a();
      result = { a: first, b: await b() };
    } else {
      const first = await b();
      result = { a: await a(), b: first };
    }
    if (pair >= 0) results.push(result);
  }
  return results;
}
