import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

import type { Push } from '../../src/mexc/messages.js';
import { sharedPath } from './shared.js';

/** A frame beside what the official schema makes of it, in protobuf's JSON shape (`publicAggreDepths` and so on). */
export interface GoldenFrame {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly decoded: Readonly<Record<string, unknown>>;
}

interface GoldenFile {
  readonly decoded?: Readonly<Record<string, unknown>>;
  readonly expect?: string;
}

interface Scenario {
  readonly snapshot: { readonly lastUpdateId: number; readonly bids: [string, string][]; readonly asks: [string, string][] };
  readonly steps: readonly {
    readonly file: string;
    readonly fromVersion: string;
    readonly toVersion: string;
    readonly action: 'discard' | 'apply' | 'resync';
    readonly localVersionAfter: string | null;
    readonly bookAfter: { readonly bids: [number, string][]; readonly asks: [number, string][] } | null;
    readonly decoded: Readonly<Record<string, unknown>>;
  }[];
}

export function readHex(...parts: readonly string[]): Uint8Array {
  return Uint8Array.from(Buffer.from(readFileSync(sharedPath(...parts), 'utf8').trim(), 'hex'));
}

/** Every `*.hex` of the golden frames with its `decoded`; those that must be refused have none. */
export function readGoldenFrames(): {
  readonly good: readonly GoldenFrame[];
  readonly refused: readonly { name: string; bytes: Uint8Array }[];
} {
  const good: GoldenFrame[] = [];
  const refused: { name: string; bytes: Uint8Array }[] = [];
  for (const file of readdirSync(sharedPath('mexc/frames')).filter((entry) => entry.endsWith('.hex'))) {
    const name = basename(file, '.hex');
    const bytes = readHex('mexc/frames', file);
    const { decoded, expect } = readJson<GoldenFile>('mexc/frames', `${name}.json`);
    if (decoded !== undefined) good.push({ name, bytes, decoded });
    else if (expect === 'error') refused.push({ name, bytes });
    else throw new Error(`${name}.json says neither what the frame decodes to nor that it is refused`);
  }
  return { good, refused };
}

export function readScenario(): Scenario {
  return readJson<Scenario>('mexc/frames/sequence/scenario.json');
}

export function readCapturedFrames(): readonly GoldenFrame[] {
  const { frames } = readJson<{ frames: { id: string; hex: string; decoded: Record<string, unknown> }[] }>(
    'data/mexc-captured/frames.json',
  );
  return frames.map(({ id, hex, decoded }) => ({
    name: id,
    bytes: Uint8Array.from(Buffer.from(hex, 'hex')),
    decoded: timesAsNumbers(decoded),
  }));
}

/** Real pushes that others published as JSON only, so without their bytes. */
export function readDecodedSamples(): readonly Pick<GoldenFrame, 'name' | 'decoded'>[] {
  const { samples } = readJson<{ samples: { id: string; message: Record<string, unknown> | unknown[] }[] }>(
    'data/mexc-captured/decoded-samples.json',
  );
  return samples.flatMap(({ id, message }) =>
    !Array.isArray(message) && 'channel' in message ? [{ name: id, decoded: timesAsNumbers(message) }] : [],
  );
}

/**
 * A push in protobuf's JSON shape: the body under its field's name, lists that are empty left out. What the schema does
 * not know leaves no trace there.
 */
export function toProtobufJson(push: Push): Record<string, unknown> {
  const { body, ...wrapper } = push;
  if (body.kind === 'none' || body.kind === 'unknown') return wrapper;
  const { kind, ...fields } = body;
  return { ...wrapper, [`public${kind[0]!.toUpperCase()}${kind.slice(1)}`]: withoutEmptyLists(fields) };
}

const TIME_FIELDS = new Set(['createTime', 'sendTime', 'time', 'windowStart', 'windowEnd', 'lastOrderCreateTime']);

/** Protobuf's JSON writes int64 as text; we compare them as numbers. */
function timesAsNumbers(decoded: Record<string, unknown>): Record<string, unknown> {
  const visit = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => visit(item, key));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, visit(item, name)]));
    return TIME_FIELDS.has(key) ? Number(value) : value;
  };
  return visit(decoded, '') as Record<string, unknown>;
}

function withoutEmptyLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmptyLists);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => !(Array.isArray(item) && item.length === 0));
  return Object.fromEntries(entries.map(([name, item]) => [name, withoutEmptyLists(item)]));
}

function readJson<T>(...parts: readonly string[]): T {
  return JSON.parse(readFileSync(sharedPath(...parts), 'utf8')) as T;
}
