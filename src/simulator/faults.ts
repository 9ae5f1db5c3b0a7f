import { CodedError, ErrorCode } from '../support/errors.js';

/**
 * When a fault begins: at once, `afterMs` after it was handed in, or with the depth push that follows `afterPushes` depth pushes of its symbol
 * (`*`: of any symbol). Only pushes somebody subscribes to are counted, both speeds together.
 */
export interface FaultTrigger {
  readonly afterMs?: number;
  readonly afterPushes?: number;
}

/** How long a fault lasts: for a number of occasions, or for a time. With neither it happens once. */
export interface FaultSpan {
  readonly count?: number;
  readonly forMs?: number;
}

interface FaultBase extends FaultTrigger {
  /** The symbol concerned; `*` (the default) = all. */
  readonly symbol?: string;
}

/** Faults of the stream of depth pushes; `pushes` (default 1) of them in a row are concerned. */
export type PushFault =
  /** Pushes are lost: the versions jump. */
  | (FaultBase & { readonly action: 'skip'; readonly pushes?: number })
  /** Pushes come twice. */
  | (FaultBase & { readonly action: 'duplicate'; readonly pushes?: number })
  /** A push comes behind its successor; `pushes` counts such pairs. */
  | (FaultBase & { readonly action: 'reorder'; readonly pushes?: number })
  /** A push breaks off in its body; with `mode: "add"` (default `replace`) the whole push follows. */
  | (FaultBase & { readonly action: 'truncate'; readonly pushes?: number; readonly mode?: 'replace' | 'add' })
  /** The quantity farthest from the touch has a 1 in front (a level that should go stays), and nothing else shows it: only an audit finds that. */
  | (FaultBase & { readonly action: 'corruptLevel'; readonly pushes?: number })
  /** Fields no schema knows are in body and wrapper. */
  | (FaultBase & { readonly action: 'unknownFields'; readonly pushes?: number });

/**
 * Nothing of the symbol is pushed for a time, on any channel, while its versions go on. Afterwards the changes of that time come
 * merged into one push (`merge`, the default; in playback the held pushes come one after the other), or are lost (`gap`).
 */
export type StallFault = FaultBase & { readonly action: 'stall'; readonly forMs: number; readonly after?: 'merge' | 'gap' };

/** Faults of connections: those that carry the symbol, or all. */
export type ConnectionFault =
  /** The connection ends: with a close frame of that code, or without any when no code is given. */
  | (FaultBase & { readonly action: 'drop'; readonly closeCode?: number })
  /** The connection stays open but dead: nothing is sent any more, no answer either, what the client says is ignored. */
  | (FaultBase & { readonly action: 'halfOpen' })
  /** Subscriptions to channels of the symbol are refused (`Blocked!`); `count` counts channels. */
  | (FaultBase & FaultSpan & { readonly action: 'refuse' });

/** Faults of REST. With a symbol only requests for that symbol are concerned. */
export type RestFault =
  /** 429 with `Retry-After` (seconds, default 1). */
  | (FaultBase & FaultSpan & { readonly action: 'rest429'; readonly retryAfterSeconds?: number })
  /** The firewall's HTML page, 403, without `Retry-After`. */
  | (FaultBase & FaultSpan & { readonly action: 'rest403' })
  /** A server error (default 502) with a body that is not JSON. */
  | (FaultBase & FaultSpan & { readonly action: 'rest5xx'; readonly status?: number })
  /** Depth answers come late, with the book of the moment of the request. */
  | (FaultBase & FaultSpan & { readonly action: 'slowSnapshots'; readonly delayMs: number })
  /** Depth answers show the book as it was `pushes` pushes ago: a large number is older than any client's buffer. History is kept from the moment the fault is known. */
  | (FaultBase & FaultSpan & { readonly action: 'oldSnapshots'; readonly pushes: number });

export type FaultSpec = PushFault | StallFault | ConnectionFault | RestFault;
export type FaultAction = FaultSpec['action'];

type FieldKind = 'count' | 'ms' | 'pushes' | 'status' | 'closeCode' | 'seconds' | 'mode' | 'after';

/** The fields of each action besides `symbol` and the trigger; `!` marks those that must be there. */
const fields: Readonly<Record<FaultAction, Readonly<Record<string, FieldKind | `${FieldKind}!`>>>> = {
  skip: { pushes: 'pushes' },
  duplicate: { pushes: 'pushes' },
  reorder: { pushes: 'pushes' },
  truncate: { pushes: 'pushes', mode: 'mode' },
  corruptLevel: { pushes: 'pushes' },
  unknownFields: { pushes: 'pushes' },
  stall: { forMs: 'ms!', after: 'after' },
  drop: { closeCode: 'closeCode' },
  halfOpen: {},
  refuse: { count: 'count', forMs: 'ms' },
  rest429: { count: 'count', forMs: 'ms', retryAfterSeconds: 'seconds' },
  rest403: { count: 'count', forMs: 'ms' },
  rest5xx: { count: 'count', forMs: 'ms', status: 'status' },
  slowSnapshots: { count: 'count', forMs: 'ms', delayMs: 'ms!' },
  oldSnapshots: { count: 'count', forMs: 'ms', pushes: 'pushes!' },
};

const triggerFields: Readonly<Record<string, FieldKind>> = { afterMs: 'ms', afterPushes: 'count' };

const kinds: Readonly<Record<FieldKind, { readonly allowed: string; readonly test: (value: unknown) => boolean }>> = {
  count: { allowed: 'a whole number of at least 1', test: (value) => isWhole(value, 1, Number.MAX_SAFE_INTEGER) },
  pushes: { allowed: 'a whole number of at least 1', test: (value) => isWhole(value, 1, Number.MAX_SAFE_INTEGER) },
  ms: { allowed: 'milliseconds from 0 to 86400000', test: (value) => isWhole(value, 0, 86_400_000) },
  seconds: { allowed: 'whole seconds from 0 to 86400', test: (value) => isWhole(value, 0, 86_400) },
  status: { allowed: 'an HTTP status from 500 to 599', test: (value) => isWhole(value, 500, 599) },
  closeCode: {
    allowed: 'a close code a server may send (1000 to 1003, 1007 to 1014, 3000 to 4999)',
    test: (value) => isWhole(value, 1000, 1003) || isWhole(value, 1007, 1014) || isWhole(value, 3000, 4999),
  },
  mode: { allowed: '"replace" or "add"', test: (value) => value === 'replace' || value === 'add' },
  after: { allowed: '"merge" or "gap"', test: (value) => value === 'merge' || value === 'gap' },
};

/** Checks a fault, or a list of faults, that came as JSON. Throws CONFIG_INVALID with everything that is wrong. */
export function parseFaults(json: unknown): FaultSpec[] {
  const list = Array.isArray(json) ? json : [json];
  const errors = list.flatMap((fault: unknown, index) => problemsOf(fault).map((problem) => `faults[${index}]: ${problem}`));
  if (errors.length > 0) throw new CodedError(ErrorCode.CONFIG_INVALID, errors.join('; '), { errors });
  return list as FaultSpec[];
}

function problemsOf(fault: unknown): string[] {
  if (typeof fault !== 'object' || fault === null || Array.isArray(fault)) return ['must be an object'];
  const given = fault as Record<string, unknown>;
  const action = given['action'];
  if (typeof action !== 'string' || !Object.hasOwn(fields, action)) return [`"action" must be one of ${Object.keys(fields).join(', ')}`];
  const known: Readonly<Record<string, string>> = { ...fields[action as FaultAction], ...triggerFields };
  const problems: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    if (name === 'action') continue;
    const kind = known[name]?.replace('!', '') as FieldKind | undefined;
    if (name === 'symbol') {
      if (typeof value !== 'string' || value === '') problems.push('"symbol" must be a symbol or "*"');
    } else if (kind === undefined) problems.push(`"${name}" is no field of "${action}" (${['symbol', ...Object.keys(known)].join(', ')})`);
    else if (!kinds[kind].test(value)) problems.push(`"${name}" must be ${kinds[kind].allowed}`);
  }
  for (const [name, kind] of Object.entries(known)) {
    if (kind.endsWith('!') && given[name] === undefined) problems.push(`"${name}" is missing`);
  }
  for (const [one, other] of [
    ['afterMs', 'afterPushes'],
    ['count', 'forMs'],
  ] as const) {
    if (given[one] !== undefined && given[other] !== undefined) problems.push(`"${one}" and "${other}" exclude each other`);
  }
  return problems;
}

function isWhole(value: unknown, low: number, high: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high;
}
