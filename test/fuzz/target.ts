import { performance } from 'node:perf_hooks';
import { engineOf, exchangeOf, MdpProcess } from '../support/mdp-process.js';
import { until } from '../support/until.js';
import type { FuzzReport } from './frames.js';

/** How often the engine is asked whether it answers, ms. */
const PROBE_MS = 20;

export interface Target {
  readonly url: string;
  readonly wsUrl: string;
  readonly grpc: string;
  /** The symbols it follows. */
  readonly symbols: readonly string[];
}

/** Adds one to the count of an answer; a finding when the answer is one nobody should get. */
export type Tell = (answer: string, finding?: string) => void;

/**
 * Runs `attack` on a real `mdp start` on a real `mdp sim`, both processes of their own, while another connection asks for its health again and again. What
 * must hold in the end: the process lives, its books are live, and nothing was logged as an error.
 */
export async function underAttack(sent: number, attack: (target: Target, tell: Tell) => Promise<void>): Promise<FuzzReport> {
  const sim = new MdpProcess('sim', '--port', '0', '--symbols', '4', '--rate', '20');
  let start: MdpProcess | undefined;
  const findings: string[] = [];
  const answers = new Map<string, number>();
  const tell: Tell = (answer, finding) => {
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
    if (finding !== undefined && findings.length < 10) findings.push(finding);
  };
  let slowestMs = 0;
  let probe: NodeJS.Timeout | undefined;
  try {
    const { wsUrl: exchangeWs, restUrl } = await exchangeOf(sim);
    start = new MdpProcess('start', '--port', '0', '--symbols', 'all', '--workers', '1', '--ws-url', exchangeWs, '--rest-url', restUrl);
    const { url, wsUrl } = await engineOf(start);
    const grpc = (await start.text(/"grpc":"([^"]+)"/))[1]!;
    const ready = (): Promise<boolean> => fetch(`${url}/health/ready`).then(({ ok }) => ok);
    await until(ready, { timeoutMs: 30_000, what: 'a ready engine' });
    const listed = (await (await fetch(`${url}/symbols`)).json()) as { symbols: readonly { symbol: string }[] };
    let asked: Promise<void> | undefined;
    const ask = async (): Promise<void> => {
      const startedMs = performance.now();
      try {
        await (await fetch(`${url}/health/live`)).text();
      } catch (error) {
        findings.push(`no health: ${String(error)}`);
      }
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      asked = undefined;
    };
    probe = setInterval(() => {
      asked ??= ask();
    }, PROBE_MS);
    await attack({ url, wsUrl, grpc, symbols: listed.symbols.map(({ symbol }) => symbol) }, tell);
    clearInterval(probe);
    await asked;
    await until(ready, { timeoutMs: 30_000, what: 'an engine that is ready after all' });
    const errors = start.stdout.split('\n').filter((line) => /"level":(50|60)|"level":"(error|fatal)"/.test(line));
    if (errors.length > 0) findings.push(`logged: ${errors[0]}`);
    if (start.stderr !== '') findings.push(`wrote to standard error: ${start.stderr.slice(0, 300)}`);
  } catch (error) {
    findings.push(`${String(error)}; ${start?.stderr.slice(0, 500)}`);
  } finally {
    clearInterval(probe);
    await start?.close();
    await sim.close();
  }
  const refused = [...answers].filter(([answer]) => !answer.startsWith('ok')).reduce((sum, [, count]) => sum + count, 0);
  return { sent, refused, slowestMs, findings, answers };
}
