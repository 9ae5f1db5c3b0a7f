import type { Logger } from 'pino';
import { createEngine } from '../engine.js';
import type { Engine } from '../engine.js';
import { defaultsOf, loadDemoConfig } from '../support/config/index.js';
import type { DemoConfig } from '../support/config/index.js';
import { BookSampler, RateMeter, tableLines } from './book-table.js';
import { exitWithError } from './exit.js';
import { LiveBlock } from './live-block.js';
import { createLogger, humanLine } from './logger.js';
import { progressLine, readProgress } from './progress.js';
import { Shutdown } from './shutdown.js';
import { startSimulatorProcess } from './sim-process.js';
import type { SimulatorProcess } from './sim-process.js';
import { tryItLines } from './try-it.js';

const TABLE_ROWS = 15;
const REFRESH_MS = 500;
const SUMMARY_MS = 10_000;

/** `mdp demo`: the engine on a simulated exchange that runs beside it, and a table of its books. */
export async function runDemo(argv: readonly string[]): Promise<void> {
  const config = loadDemoConfig(argv);
  const block = process.stdout.isTTY ? new LiveBlock(process.stdout) : undefined;
  const logger = createLogger({ level: config.logLevel, block, output: 'stderr' });
  const shutdown = new Shutdown(logger);
  const simulator = await startSimulatorProcess(
    simulatorFlags(config),
    (line) => (block === undefined ? process.stderr.write(`${line}\n`) : block.print(humanLine(line))),
    (error) => shutdown.begun || exitWithError(error),
  );
  shutdown.add(() => simulator.close());
  const engine = await createDemoEngine(config, simulator, logger);
  shutdown.add(() => engine.close());
  const stopTable = showBooks(engine, block);
  shutdown.add(async () => stopTable());
}

function createDemoEngine(config: DemoConfig, { wsUrl, restUrl }: SimulatorProcess, logger: Logger): Promise<Engine> {
  const { workers, host, insecurePublic, port, grpcPort, interval, snapshotRate } = config;
  const { audit, staleAfterMs } = defaultsOf('start');
  return createEngine({
    symbols: { kind: 'all' },
    workers,
    host,
    insecurePublic,
    port,
    grpcPort,
    wsUrl,
    restUrl,
    interval,
    snapshotRate,
    staleAfterMs,
    audit,
    logger,
  });
}

function simulatorFlags(config: DemoConfig): readonly string[] {
  const { symbols, rate, seed, faults, logLevel } = config;
  const flags = { host: '127.0.0.1', port: 0, symbols, rate, seed, 'log-level': logLevel, ...(faults === null ? {} : { faults }) };
  return Object.entries(flags).map(([name, value]) => `--${name}=${String(value)}`);
}

/** Shows the books until the returned function is called: a live table on a terminal, else the table once and a line now and then. */
function showBooks(engine: Engine, block: LiveBlock | undefined): () => void {
  const { market } = engine;
  const print = (lines: readonly string[]): unknown => process.stdout.write(`${lines.join('\n')}\n`);
  print([
    '',
    `Simulated exchange at ${market.source.wsUrl}: this market is made up.`,
    `Engine at ${engine.url}`,
    ...(engine.grpcAddress === null ? [] : [`gRPC at ${engine.grpcAddress}`]),
    '',
    ...tryItLines(engine),
  ]);
  const sampler = new BookSampler(market);
  const meter = new RateMeter();
  let shownMs = -Infinity;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const rows = sampler.sample(TABLE_ROWS, nowMs);
    const status = market.status();
    const progress = readProgress(status, Date.now());
    const rate = meter.perSecond(status.counters.framesApplied, nowMs);
    const complete = progress.live >= progress.asked;
    const summary = complete
      ? `simulated exchange: ${progress.live} of ${progress.asked} books live, ${rate.toFixed(0)} updates/s`
      : progressLine(progress);
    if (block !== undefined) return block.draw([summary, '', ...tableLines(rows)]);
    if (nowMs - shownMs < SUMMARY_MS || !complete) return;
    print(shownMs === -Infinity ? [summary, '', ...tableLines(rows), ''] : [summary]);
    shownMs = nowMs;
  }, REFRESH_MS);
  return () => clearInterval(timer);
}
