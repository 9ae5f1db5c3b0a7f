import { readFileSync } from 'node:fs';
import { scaledRequests } from '../simulator/limits.js';
import { parseFaults, startSimulator } from '../simulator/simulator.js';
import { loadSimConfig } from '../support/config/index.js';
import { CodedError, ErrorCode } from '../support/errors.js';
import { isLoopback } from '../support/loopback.js';
import { LiveBlock } from './live-block.js';
import { createLogger } from './logger.js';
import { Shutdown } from './shutdown.js';
import type { SimulatorListening } from './sim-process.js';

/** `mdp sim`: the simulated exchange alone. Tells a parent process where it listens, and ends with it. */
export async function runSim(argv: readonly string[]): Promise<void> {
  const { logLevel, faults: faultsFile, replay, insecurePublic, requestFactor, ...config } = loadSimConfig(argv);
  const faults = faultsFile === null ? [] : parseFaults(readJson(faultsFile));
  const logger = createLogger({ level: logLevel, block: process.stdout.isTTY ? new LiveBlock(process.stdout) : undefined });
  if (!(await isLoopback(config.host))) {
    const why = 'other machines can reach this address and the simulated exchange has no keys: whoever does can make it go wrong';
    if (!insecurePublic)
      throw new CodedError(
        ErrorCode.PUBLIC_WITHOUT_KEYS,
        `${config.host}: ${why}; listen on 127.0.0.1, or say --insecure-public if this is meant`,
      );
    logger.warn({ host: config.host }, `${why} (--insecure-public)`);
  }
  const shutdown = new Shutdown(logger);
  const simulator = await startSimulator(
    { ...config, limits: scaledRequests(requestFactor), faults, ...(replay === null ? {} : { replay }) },
    logger,
  );
  shutdown.add(() => simulator.close());
  const { wsUrl, restUrl, port } = simulator;
  logger.info({ wsUrl, restUrl }, 'ready for mdp start --ws-url … --rest-url …');
  process.send?.({ type: 'listening', port, wsUrl, restUrl } satisfies SimulatorListening);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodedError(ErrorCode.CONFIG_INVALID, `--faults: ${path}: ${reason}`, {}, error);
  }
}
