import { describeMachine } from '../../bench/support/machine.js';
import type { SoakResult } from './soak.js';

/** The report as Markdown, which reads well in a terminal too. */
export function reportOf(result: SoakResult): string {
  const { options, memory } = result;
  const flags = Object.entries(options).map(([key, value]) => `${key} ${value}`);
  const rows = rowsOf(result);
  const verdict = result.wrongCount === 0 ? 'Nothing was wrong.' : `${result.wrongCount} findings.`;
  return [
    `${describeMachine()}.`,
    '',
    `${flags.join(', ')}.`,
    '',
    `${verdict} Resident memory: median of each tenth after the warm-up, MiB: ${memory.tenths.map(mib).join(', ')}.`,
    '',
    '| | |',
    '| --- | --- |',
    ...rows.map(([what, figure]) => `| ${what} | ${figure} |`),
    ...(result.wrong.length > 0 ? ['', ...result.wrong.map((text) => `- ${text}`)] : []),
    '',
  ].join('\n');
}

function rowsOf(result: SoakResult): readonly (readonly [string, string | number])[] {
  const { options, compared, metrics, status, tally, memory, cores, lastVital, ended } = result;
  const metric = (name: string): string => String(metrics.get(name) ?? 'unknown');
  const total = [...compared.values()].reduce((sum, each) => sum + each, 0);
  return [
    ['duration after the start, min', options.minutes],
    ['of it warm-up, s', result.warmUpSeconds],
    ['resident memory: last tenth against the first, %', memory.growth.toFixed(2)],
    ['resident memory: rise of the line of least squares, %', memory.trend.toFixed(2)],
    ['resident memory at the end, MiB', mib(lastVital?.rss ?? NaN)],
    ['of it heap of the main thread in use / reserved, MiB', `${mib(lastVital?.heapUsed ?? NaN)} / ${mib(lastVital?.heapTotal ?? NaN)}`],
    ['answers compared with the truth', total],
    ...[...compared].map(([what, times]) => [`– ${what}`, times] as const),
    ['findings', result.wrongCount],
    ['answers older than the truth is kept (slow clients)', result.tooOld],
    ['REST answers that a book is not live', result.notLiveAnswers],
    ['REST answers that a book is busy', result.busyAnswers],
    ['requests sent again, their connection was closed', result.askedAgain],
    ['books live, mean over the run, %', result.liveShare.toFixed(2)],
    ['messages to clients', tally.messages],
    ['snapshots to clients', list(tally.snapshots)],
    ['followed books out of service', list(tally.states)],
    ['slow clients closed, by the engine', status?.clients.slowClosed ?? 'unknown'],
    ['the same as they saw it, by close code', list(result.slowClosed)],
    ['faults injected', list(result.faults)],
    ['faults begun, by the count of the exchange', result.faultsBegun],
    ['pushes applied', metric('mdp_book_updates_applied_total')],
    ['gaps noticed', metric('mdp_book_gaps_total')],
    ['inputs refused', metric('mdp_book_inputs_refused_total')],
    ['resyncs', metric('mdp_book_resyncs_total')],
    ['frames lost at a full ring', metric('mdp_ring_lost_frames_total')],
    ['audits', metric('mdp_audits_total')],
    ['pauses of all requests', metric('mdp_exchange_request_pauses_total')],
    ['connections at the end', status?.connections.length ?? 'unknown'],
    ['connections replaced (rotation)', metric('mdp_exchange_connections_replaced_total')],
    ['connections lost and opened again', metric('mdp_exchange_connections_lost_total')],
    ['workers killed', result.killed],
    ['all live again after the last fault, s', result.recoverySeconds.toFixed(1)],
    ['cores busy: engine, exchange, harness', [cores.engine, cores.simulator, cores.harness].map((each) => each.toFixed(2)).join(', ')],
    ['exit codes: engine, exchange', `${ended.engine?.code ?? 'none'}, ${ended.simulator?.code ?? 'none'}`],
  ];
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

function list(counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return 'none';
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([what, times]) => `${what} ${times}`)
    .join(', ');
}
