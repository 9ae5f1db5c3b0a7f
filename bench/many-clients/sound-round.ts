/** Of the quotes that the pace and the length of a round ask for; fewer were sent only when the exchange did not keep its pace. */
const QUOTES_MIN = 0.95;
/** Of those that never read: some are closed and come back all the time. */
const HERE_MIN = 0.9;

/** Throws when a round had fewer quotes than were to come. */
export function checkQuotes(quotes: number, expected: number): void {
  if (quotes < QUOTES_MIN * expected) throw new Error(`${quotes} quotes in a round of ${Math.round(expected)}`);
}

/** `here`: how many that never read were connected, at moments of their round. Throws when too few were, on average. */
export function checkHere(here: readonly number[], clients: number): void {
  const mean = here.reduce((sum, count) => sum + count, 0) / here.length;
  if (clients > 0 && !(mean >= HERE_MIN * clients)) {
    throw new Error(`${mean.toFixed(0)} of ${clients} clients that never read were connected during their round`);
  }
}
