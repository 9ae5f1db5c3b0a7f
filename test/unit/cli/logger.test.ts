import { closeSync, constants, openSync } from 'node:fs';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { LiveBlock } from '../../../src/cli/live-block.js';
import { createLogger, humanLine, openLog } from '../../../src/cli/logger.js';
import { until } from '../../support/until.js';

describe('humanLine', () => {
  it('is time, severity, text and fields', () => {
    const line = '{"level":40,"time":"2026-01-02T03:04:05.678Z","symbol":"龙USDT","gap":[1,2],"msg":"gap"}\n';
    expect(humanLine(line)).toBe('03:04:05 warn  gap symbol=龙USDT gap=[1,2]');
  });

  it('leaves other text as it is, without what steers a terminal', () => {
    expect(humanLine('not json\n')).toBe('not json');
    expect(humanLine('5')).toBe('5');
    expect(humanLine('{"level":30,"time":"2026-01-02T03:04:05.678Z","name":"\\u001b[2J","msg":"x"}')).toBe('03:04:05 info  x name=');
  });
});

describe('createLogger', () => {
  it('writes for people above the live block of a terminal', () => {
    let written = '';
    const block = new LiveBlock({ write: (text) => (written += text), columns: 80, rows: 24 });
    const logger = createLogger({ level: 'info', block });
    logger.debug('too small');
    logger.info({ port: 8080 }, 'listening');
    expect(written).toMatch(/\d\d:\d\d:\d\d info {2}listening port=8080\n$/);
    expect(written).not.toContain('too small');
  });
});

describe('a log', () => {
  it('that cannot be written ends nobody, and says so once', async () => {
    const full = openSync('/dev/full', constants.O_WRONLY);
    const failures: string[] = [];
    const log = pino(
      { base: null },
      openLog(full, ({ message }) => failures.push(message)),
    );
    log.info('first');
    await until(() => failures.length > 0, { what: 'a failure' });
    log.info('second');
    await new Promise((resolve) => setImmediate(resolve));
    closeSync(full);
    expect(failures).toEqual([expect.stringContaining('ENOSPC')]);
  });
});
