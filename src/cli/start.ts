import { createEngine } from '../engine.js';
import { loadStartConfig } from '../support/config/index.js';
import { LiveBlock } from './live-block.js';
import { createLogger } from './logger.js';
import { ProgressWatch } from './progress.js';
import { Shutdown } from './shutdown.js';

/** `mdp start`: the engine on the live exchange, or on the addresses given. */
export async function runStart(argv: readonly string[]): Promise<void> {
  const { logLevel, ...config } = loadStartConfig(argv);
  const block = process.stdout.isTTY ? new LiveBlock(process.stdout) : undefined;
  const logger = createLogger({ level: logLevel, block });
  const shutdown = new Shutdown(logger);
  const engine = await createEngine({ ...config, logger });
  shutdown.add(() => engine.close());
  const { source, books } = engine.market.status();
  logger.info(
    {
      url: engine.url,
      wsUrl: engine.wsUrl,
      grpc: engine.grpcAddress,
      exchange: source.wsUrl,
      simulated: source.simulated,
      books: books.tracked,
    },
    'listening',
  );
  const progress = new ProgressWatch({ market: engine.market, logger, block });
  shutdown.add(async () => progress.stop());
}
