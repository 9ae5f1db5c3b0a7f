import { join } from 'node:path';
import { packageRoot } from '../../src/support/config/index.js';
import { engineOf, exchangeOf, MdpProcess } from '../support/mdp-process.js';
import { until } from '../support/until.js';
import { type FuzzReport, HANG_MS } from './report.js';

/** The engine's heap may end so much larger than it was at a quarter of the inputs. */
const GROWTH_MAX = 16 * 1024 * 1024;
const FINDINGS_MAX = 10;
/** Times as much as MEXC grants, and what the engine asks for by default. */
const REQUEST_FACTOR = 12;
const SNAPSHOT_RATE = 8;
const probe = join(packageRoot(), 'test/fuzz/turn-probe.mjs');
/** Limits of addresses are off on loopback; with these they are in the way of much. */
const limited = ['--connections-per-address', '12', '--requests-per-second', '200'];

export interface Target {
  readonly url: string;
  readonly wsUrl: string;
  readonly grpc: string;
  /** The symbols it follows. */
  readonly symbols: readonly string[];
}

/** Counts an answer, one that refuses unless it begins with `ok`; a finding when the answer is one nobody should get. */
export type Tell = (answer: string, finding?: string) => void;
/** To be called after each input: a promise the one time the engine is measured. */
export type Done = () => Promise<void> | undefined;

/** What `turn-probe.mjs` tells. */
interface Measures {
  readonly longestTurnMs: number;
  /** Of the longest turn, collections included. */
  readonly story: string;
  readonly longestWithCollectionsMs: number;
  readonly heapBytes: number;
}

/**
 * Runs `attack` on a real `mdp start` on a real `mdp sim`, both processes of their own. What must hold: the engine lives and answers, no turn of its event
 * loop takes HANG_MS of processor time, its heap does not grow, nothing is logged as an error, and in the end its books are those of the exchange.
 */
export async function underAttack(
  sent: number,
  withLimits: boolean,
  attack: (target: Target, tell: Tell, done: Done) => Promise<void>,
): Promise<FuzzReport> {
  // So that a request for a pair nobody lists, which the exchange has to be asked about, does not wait for long.
  const sim = new MdpProcess('sim', '--port', '0', '--symbols', '4', '--rate', '20', '--request-factor', String(REQUEST_FACTOR));
  let start: MdpProcess | undefined;
  const findings: string[] = [];
  const find = (finding: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push(finding);
  };
  const answers = new Map<string, number>();
  const tell: Tell = (answer, finding) => {
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    if (finding !== undefined) find(finding);
  };
  const measures: Measures[] = [];
  try {
    const { wsUrl: exchangeWs, restUrl } = await exchangeOf(sim);
    const addresses = ['--ws-url', exchangeWs, '--rest-url', restUrl];
    const limits = [...(withLimits ? limited : []), '--snapshot-rate', String(SNAPSHOT_RATE * REQUEST_FACTOR)];
    start = new MdpProcess({ preload: probe }, 'start', '--port', '0', '--symbols', 'all', '--workers', '1', ...limits, ...addresses);
    const engine = start;
    const { url, wsUrl } = await engineOf(engine);
    const grpc = (await engine.text(/"grpc":"([^"]+)"/))[1]!;
    await until(() => isReady(url), { timeoutMs: 30_000, what: 'a ready engine' });
    const listed = (await (await fetch(`${url}/symbols`)).json()) as { symbols: readonly { symbol: string }[] };
    const symbols = listed.symbols.map(({ symbol }) => symbol);

    // What it took to start does not count.
    await measure(engine);
    let left = sent;
    const done: Done = () =>
      --left === Math.floor((sent * 3) / 4) ? measure(engine).then((measured) => void measures.push(measured)) : undefined;
    await attack({ url, wsUrl, grpc, symbols }, tell, done);
    await until(() => isReady(url), { timeoutMs: 30_000, what: 'an engine that is ready after all' });
    measures.push(await measure(engine));
    for (const symbol of symbols) {
      await until(() => isTrue(url, restUrl, symbol), { timeoutMs: 30_000, what: `the exchange's book of ${symbol}` });
    }
    const errors = engine.stdout.split('\n').filter((line) => /"level":(50|60)|"level":"(error|fatal)"/.test(line));
    if (errors.length > 0) find(`logged: ${errors[0]}`);
    if (engine.stderr !== '') find(`wrote to standard error: ${engine.stderr.slice(0, 300)}`);
  } catch (error) {
    findings.push(`${String(error)}; ${start?.stderr.slice(0, 500)}`);
  } finally {
    await start?.close();
    await sim.close();
  }
  const slowestMs = Math.max(0, ...measures.map(({ longestTurnMs }) => longestTurnMs));
  if (slowestMs > HANG_MS)
    find(`a turn of the event loop took ${slowestMs.toFixed(1)} ms: ${measures.map(({ story }) => story).join('; ')}`);
  const heapBytes = measures.map((one) => one.heapBytes);
  if (heapBytes.at(-1)! - heapBytes[0]! > GROWTH_MAX) find(`the heap grew from ${heapBytes.join(' to ')} bytes`);
  const refused = [...answers].filter(([answer]) => !answer.startsWith('ok')).reduce((sum, [, count]) => sum + count, 0);
  const longestWithCollectionsMs = Math.max(0, ...measures.map((one) => one.longestWithCollectionsMs));
  return { sent, refused, slowestMs, findings, underAttack: { answers, heapBytes, longestWithCollectionsMs } };
}

async function measure(engine: MdpProcess): Promise<Measures> {
  let measures: Measures | undefined;
  engine.onMessage = (message) => {
    measures = message as Measures;
  };
  engine.send('measure');
  return until(() => measures, { timeoutMs: 30_000, what: 'an engine that can be measured' });
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

interface Sides {
  readonly version: number;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
}

/** Whether the engine's book is the exchange's, as soon as both are seen at one version. */
async function isTrue(url: string, restUrl: string, symbol: string): Promise<boolean> {
  const answer = await fetch(`${url}/orderbook/${symbol}?depth=full`);
  const truth = (await (await fetch(`${restUrl}/sim/book/${symbol}`)).json()) as Sides;
  if (!answer.ok) return false;
  const book = (await answer.json()) as Sides;
  if (book.version !== truth.version) return false;
  const text = ({ bids, asks }: Sides): string => JSON.stringify([bids, asks].map((side) => side.map((level) => level.map(Number))));
  if (text(book) !== text(truth)) throw new Error(`the book of ${symbol} is wrong at version ${book.version}`);
  return true;
}
