import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { CodedError, ErrorCode } from '../support/errors.js';
import { frameBinary } from './push-frame.js';
import { peekDepthVersions, peekPush } from './push-peek.js';

/** A push or a depth answer of a recording, in the order of receipt. */
export type RecordedEvent =
  | {
      readonly kind: 'push';
      readonly timeMs: number;
      readonly channel: string;
      readonly symbol: string | null;
      readonly frame: Buffer;
      readonly versions: DepthVersions | null;
    }
  | { readonly kind: 'snapshot'; readonly timeMs: number; readonly symbol: string; readonly raw: string };

export type RecordedPush = Extract<RecordedEvent, { kind: 'push' }>;

/** Of an incremental depth push; `null` for all others. */
export interface DepthVersions {
  readonly from: number;
  readonly to: number;
}

export interface Recording {
  /** `timeMs` counts from the first event of its file. */
  readonly events: readonly RecordedEvent[];
  /** In order of appearance. */
  readonly symbols: readonly string[];
}

const DEPTH_BODY = 313;
const unzip = promisify(gunzip);

/**
 * Reads recorded sessions (`*.frames.jsonl.gz`, or not compressed): one JSON object a line with `t` (Unix ms) and `k`, either `ws` with the
 * base64 of one binary push in `b64`, or `rest` with `path` and `raw` of a `/api/v3/depth` answer. Several files begin together and must not
 * share a symbol. Throws RECORDING_MALFORMED, naming file and line.
 */
export async function loadRecording(files: readonly string[]): Promise<Recording> {
  const owners = new Map<string, string>();
  const events: RecordedEvent[] = [];
  for (const file of files) {
    const session = parseSession(file, await readLines(file));
    for (const symbol of new Set(session.map((event) => event.symbol))) {
      if (symbol === null) continue;
      const owner = owners.get(symbol);
      if (owner !== undefined) throw malformed(`${symbol} is in ${owner} and in ${file}: play them one after the other`, { symbol });
      owners.set(symbol, file);
    }
    for (const event of session) events.push(event);
  }
  if (events.length === 0) throw malformed(`no events in ${files.join(', ')}`, {});
  // A stable sort: events of one file keep their order.
  events.sort((a, b) => a.timeMs - b.timeMs);
  return { events, symbols: [...owners.keys()] };
}

async function readLines(file: string): Promise<string[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await unzip(bytes);
  } catch (error) {
    throw malformed(`cannot read the recording ${file}: ${error instanceof Error ? error.message : String(error)}`, { file }, error);
  }
  return bytes.toString('utf8').split('\n');
}

function parseSession(file: string, lines: readonly string[]): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  let firstMs: number | undefined;
  let lastMs = 0;
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    try {
      const record = JSON.parse(line) as Record<string, unknown>;
      const time = record['t'];
      if (typeof time !== 'number' || !Number.isFinite(time)) throw malformed('"t" is no time', {});
      firstMs ??= time;
      // A recorder's clock may step back by a hair; the order of the lines is what counts.
      lastMs = Math.max(lastMs, time - firstMs);
      events.push(parseEvent(record, lastMs));
    } catch (error) {
      throw malformed(
        `${file}, line ${index + 1}: ${error instanceof Error ? error.message : String(error)}`,
        { file, line: index + 1 },
        error,
      );
    }
  }
  return events;
}

function parseEvent(record: Record<string, unknown>, timeMs: number): RecordedEvent {
  const { k: kind, b64, path, raw } = record;
  if (kind === 'ws' && typeof b64 === 'string') {
    const payload = Buffer.from(b64, 'base64');
    const outline = peekPush(payload);
    const versions = outline.body === DEPTH_BODY ? peekDepthVersions(payload, outline) : null;
    return { kind: 'push', timeMs, channel: outline.channel, symbol: outline.symbol, frame: frameBinary(payload), versions };
  }
  if (kind === 'rest' && typeof path === 'string' && typeof raw === 'string') {
    const url = new URL(path, 'http://localhost');
    const symbol = url.searchParams.get('symbol');
    if (url.pathname !== '/api/v3/depth' || symbol === null) throw malformed(`"${path}" is no depth request`, { path });
    return { kind: 'snapshot', timeMs, symbol, raw };
  }
  throw malformed('neither a push ("k":"ws", "b64") nor a depth answer ("k":"rest", "path", "raw")', {});
}

function malformed(message: string, details: Readonly<Record<string, unknown>>, cause?: unknown): CodedError {
  return new CodedError(ErrorCode.RECORDING_MALFORMED, message, details, cause);
}
