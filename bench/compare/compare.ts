import { setTimeout as wait } from 'node:timers/promises';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.js';
import type { Candidate } from './candidate.js';
import type { Case } from './cases.js';
import { CcxtCandidate } from './ccxt-candidate.js';
import { MdpCandidate } from './mdp-candidate.js';
import { Observation, type Outcome } from './observation.js';
import { TardisCandidate } from './tardis-candidate.js';
import { Truth } from './truth.js';

export interface CaseResult {
  readonly one: Case;
  /** In the order of the candidates: one outcome a symbol; `undefined` where the case is not for it. */
  readonly outcomes: readonly (readonly Outcome[] | undefined)[];
}

export interface CompareOptions {
  /** Pushes a second and symbol. */
  readonly rate?: number;
  /** Hears of each phase that is over. */
  readonly progress?: (text: string) => void;
}

export interface Comparison {
  readonly candidates: readonly string[];
  readonly results: readonly CaseResult[];
}

/** Pushes a second and symbol: at most one in any 100 ms, so that no snapshot falls inside a push, which ccxt would not join. */
export const RATE = 5;
/** mdp's flags besides addresses: audits one after the other. */
export const MDP_FLAGS: readonly string[] = ['--audit', '200'];
/** The truth is looked at as often as it is pushed, the candidates half as often; in ms. */
const LOOK_MS = 100;
const JUDGE_MS = 200;
/** Until every candidate holds every book of the running cases. */
const READY_MS_MAX = 60_000;
/** All candidates share one address here, each alone would have the exchange's budget for itself. */
const limits = { restBurstPerSecond: 1_000, restBurstPer10s: 10_000, restWeightPer10s: 10_000 };

interface Plan {
  readonly one: Case;
  readonly symbols: readonly string[];
}

/** Inflicts the cases of each phase on all candidates at the same time, each `times` times on symbols of its own. */
export async function compare(
  phases: readonly (readonly Case[])[],
  times: number,
  { rate = RATE, progress = () => undefined }: CompareOptions = {},
): Promise<Comparison> {
  let next = 0;
  const plans = phases.map((phase) =>
    phase.map((one): Plan => ({ one, symbols: Array.from({ length: times }, () => symbolName(next++)) })),
  );
  const options: SimulatorOptions = { symbols: Array.from({ length: next }, (_, i) => symbolName(i)), rate, seed: 1, limits };
  let exchange: Simulator = await startSimulator(options);
  const { wsUrl, restUrl, port } = exchange;
  const candidates: Candidate[] = [];
  const truth = new Truth(() => exchange);
  const looked = new Set<string>();
  const timer = setInterval(() => truth.look(looked), LOOK_MS);
  try {
    // It has to be told something to track.
    candidates.push(await MdpCandidate.start(wsUrl, restUrl, [symbolName(0)], MDP_FLAGS));
    candidates.push(new CcxtCandidate(wsUrl, restUrl), new TardisCandidate(wsUrl, restUrl));
    const follow = async ({ symbols }: Plan): Promise<void> => {
      for (const candidate of candidates) await candidate.follow(symbols);
    };
    const running = plans.flat().filter(({ one }) => one.when !== 'start');
    for (const { symbols } of running) for (const symbol of symbols) looked.add(symbol);
    for (const plan of running) await follow(plan);
    await ready(
      candidates,
      running.flatMap(({ symbols }) => symbols),
      truth,
    );
    progress('every candidate holds every book');

    const results: CaseResult[] = [];
    for (const phase of plans) {
      looked.clear();
      for (const { symbols } of phase) for (const symbol of symbols) looked.add(symbol);
      truth.look(looked);
      const startedMs = performance.now();
      const watched = phase.map((plan) => ({ ...plan, observations: observe(candidates, plan, truth) }));
      for (const { one, symbols } of phase)
        for (const symbol of symbols) for (const fault of one.faults(symbol)) exchange.injectFault(fault);
      for (const plan of phase) if (plan.one.when === 'start') await follow(plan);
      if (phase.some(({ one }) => one.when === 'restart')) {
        await exchange.close();
        exchange = await startSimulator({ ...options, port });
      }
      const watchMs = Math.max(...phase.map(({ one }) => one.watchMs));
      while (performance.now() - startedMs < watchMs) {
        await wait(JUDGE_MS);
        // At once before: what a candidate has, the exchange had.
        truth.look(looked);
        for (const { observations } of watched) for (const observation of observations.flat()) observation.look();
      }
      for (const { one, observations } of watched) {
        const outcomes = observations.map((ofCandidate) => ofCandidate.map((observation) => observation.outcome()));
        results.push({ one, outcomes: outcomes.map((list) => (list.length === 0 ? undefined : list)) });
      }
      progress(phase.map(({ one }) => one.what).join('; '));
    }
    return { candidates: candidates.map(({ name }) => name), results };
  } finally {
    clearInterval(timer);
    await Promise.all(candidates.map((candidate) => candidate.close()));
    await exchange.close();
  }
}

/** By candidate, then by symbol. */
function observe(candidates: readonly Candidate[], { one, symbols }: Plan, truth: Truth): Observation[][] {
  return candidates.map((candidate) => {
    if (one.connection === true && candidate instanceof TardisCandidate) return [];
    return symbols.map((symbol) => new Observation(candidate, symbol, truth));
  });
}

async function ready(candidates: readonly Candidate[], symbols: readonly string[], truth: Truth): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX;
  const missing = (): string[] =>
    candidates.flatMap((candidate) =>
      symbols
        .filter((symbol) => {
          const shown = candidate.shown(symbol);
          return shown === undefined || truth.wrongLevels(symbol, shown).length > 0;
        })
        .map((symbol) => `${candidate.name}: ${symbol}`),
    );
  for (;;) {
    await wait(JUDGE_MS);
    truth.look(symbols);
    const still = missing();
    if (still.length === 0) return;
    if (performance.now() > deadline) throw new Error(`before any fault these had no true book: ${still.join(', ')}`);
  }
}

function symbolName(index: number): string {
  return `CMP${String(index).padStart(2, '0')}USDT`;
}
