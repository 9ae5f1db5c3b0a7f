/**
 * The text frames MEXC's spot stream sends beside the binary pushes. A refusal has `code` 0 like a success, so only the text
 * tells (observed on the wire; the documentation shows successes only):
 *
 *     a,b                                                                             everything asked for
 *     Not Subscribed successfully! [a].  Reason： Blocked!␠                            refused (the colon is U+FF1A)
 *     Subscribed successful! [a,b]. Not Subscribed successfully! [c].  Reason： Blocked!␠   partly refused
 */

export interface RefusedChannel {
  readonly channel: string;
  /** The exchange's words, trimmed, e.g. `Blocked!`; empty when it gave none. */
  readonly reason: string;
}

export interface Ack {
  readonly kind: 'ack';
  /** Echo of the request's id; 0 when the request had none. */
  readonly id: number;
  readonly ok: readonly string[];
  readonly refused: readonly RefusedChannel[];
}

export type ControlFrame =
  | { readonly kind: 'pong'; readonly id: number }
  | Ack
  /** A `code` other than 0: not seen on the public stream so far. */
  | { readonly kind: 'error'; readonly id: number; readonly code: number; readonly msg: string }
  /** `id` is `null` when the text is no JSON object at all. */
  | { readonly kind: 'unknown'; readonly id: number | null; readonly text: string };

const REFUSAL =
  /Not Subscribed successfully!\s*\[([^\]]*)\]\.?(?:\s*Reason\s*[:：]\s*(.*?))?\s*(?=Not Subscribed successfully!|Subscribed successful!|$)/gs;
const SUCCESS = /(?<!Not )Subscribed successful!\s*\[([^\]]*)\]/g;

/** Reads one text frame; never throws. */
export function parseControl(text: string): ControlFrame {
  const frame = parseObject(text);
  if (frame === undefined) return { kind: 'unknown', id: null, text };
  const id = typeof frame['id'] === 'number' ? frame['id'] : 0;
  const { code, msg } = frame;
  if (typeof code === 'number' && code !== 0) return { kind: 'error', id, code, msg: typeof msg === 'string' ? msg : '' };
  if (typeof msg !== 'string') return { kind: 'unknown', id, text };
  if (msg.toUpperCase() === 'PONG') return { kind: 'pong', id };
  if (msg.includes('Subscribed successful')) return parseVerdict(id, msg);
  const channels = splitList(msg);
  const plain = channels.length > 0 && channels.every((channel) => channel.startsWith('spot@'));
  return plain ? { kind: 'ack', id, ok: channels, refused: [] } : { kind: 'unknown', id, text };
}

function parseVerdict(id: number, msg: string): ControlFrame {
  const ok = [...msg.matchAll(SUCCESS)].flatMap((match) => splitList(match[1] ?? ''));
  const refused = [...msg.matchAll(REFUSAL)].flatMap((match) =>
    splitList(match[1] ?? '').map((channel) => ({ channel, reason: (match[2] ?? '').trim() })),
  );
  return { kind: 'ack', id, ok, refused };
}

export interface AckVerdict {
  readonly accepted: readonly string[];
  readonly refused: readonly RefusedChannel[];
  /** Requested, and the answer says nothing of them. */
  readonly unnamed: readonly string[];
  /** Named by the answer, and not requested. */
  readonly foreign: readonly string[];
}

/**
 * Holds an ack against what was requested. A refusal wins over a success of the same channel. A refusal that names nobody
 * (`Not Subscribed successfully! [].`, seen and harmless) refuses nobody: whatever was requested counts as accepted.
 */
export function judgeAck(ack: Ack, requested: readonly string[]): AckVerdict {
  const wanted = new Set(requested);
  const refused = ack.refused.filter(({ channel }) => wanted.has(channel));
  const refusedNames = new Set(refused.map(({ channel }) => channel));
  const namesNobody = ack.ok.length === 0 && ack.refused.length === 0;
  const ok = new Set(namesNobody ? requested : ack.ok);
  return {
    accepted: requested.filter((channel) => ok.has(channel) && !refusedNames.has(channel)),
    refused,
    unnamed: requested.filter((channel) => !ok.has(channel) && !refusedNames.has(channel)),
    foreign: [...ack.ok, ...ack.refused.map(({ channel }) => channel)].filter((channel) => !wanted.has(channel)),
  };
}

function splitList(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
