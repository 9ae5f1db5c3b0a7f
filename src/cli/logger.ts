import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { printable } from './live-block.js';
import type { LiveBlock } from './live-block.js';

const STDOUT = 1;
const STDERR = 2;
const BACKLOG_BYTES = 1024 * 1024;

export interface LoggerOptions {
  readonly level: string;
  /** Where there is a terminal, lines are written for people, above its live block. */
  readonly block: LiveBlock | undefined;
  /** Standard output may be taken by a table. */
  readonly output?: 'stdout' | 'stderr';
}

/** The process's logger: JSON lines, or text for people on a terminal. */
export function createLogger({ level, block, output = 'stdout' }: LoggerOptions): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (block !== undefined) return pino(options, { write: (line: string) => block.print(humanLine(line)) });
  return pino(
    options,
    openLog(output === 'stdout' ? STDOUT : STDERR, (error) => process.stderr.write(`mdp: the log cannot be written: ${error.message}\n`)),
  );
}

/**
 * Lines to a file descriptor, written at once, so that nothing is lost when the process ends: whoever takes them has to read them. What cannot be written is
 * tried again with the next line, and beyond 1 MiB of it dropped; `failed` is called the first time.
 */
export function openLog(fd: number, failed: (error: Error) => void): DestinationStream {
  const destination = pino.destination({ dest: fd, sync: true, maxLength: BACKLOG_BYTES });
  let hasFailed = false;
  destination.on('error', (error: Error) => {
    if (!hasFailed) failed(error);
    hasFailed = true;
  });
  return destination;
}

/** One JSON log line as `12:00:01 warn  text key=value`. Text that is no log line stays as it is. */
export function humanLine(line: string): string {
  const record = parseRecord(line);
  if (record === undefined) return printable(line.trimEnd());
  const { level, time, msg, ...rest } = record;
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const label = (typeof level === 'number' ? pino.levels.labels[level] : undefined) ?? 'info';
  return printable([String(time).slice(11, 19), label.padEnd(5), typeof msg === 'string' ? msg : '', ...fields].join(' '));
}

function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
