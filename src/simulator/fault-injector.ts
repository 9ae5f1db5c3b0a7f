import type { FaultAction, FaultSpec } from './faults.js';
import { corrupted } from './corrupt-push.js';
import { truncated, withUnknownFields } from './push-peek.js';

/** A fault that has begun. */
interface ActiveFault {
  readonly spec: FaultSpec;
  /** Occasions left; Infinity when time ends it. */
  remaining: number;
  /** Unix ms at which it ends; Infinity when occasions end it. */
  readonly endMs: number;
}

interface WaitingFault {
  readonly spec: FaultSpec;
  pushesLeft: number;
}

/** What the injector asks of the rest of the simulator. */
export interface FaultTarget {
  /** Ends the connections that carry the symbol (`null` = all): with a close frame of that code, or without one. */
  dropConnections(symbol: string | null, closeCode: number | undefined): void;
  /** Makes those connections dead but open. */
  freezeConnections(symbol: string | null): void;
  /** `bookBefore` of that symbol (`null` = all) will be asked for. */
  keepHistory(symbol: string | null): void;
}

const pushActions: ReadonlySet<FaultAction> = new Set(['skip', 'duplicate', 'reorder', 'truncate', 'corruptLevel', 'unknownFields']);

/** Decides, occasion by occasion, what goes wrong. */
export class FaultInjector {
  readonly #target: FaultTarget;
  readonly #now: () => number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #waiting: WaitingFault[] = [];
  #active: ActiveFault[] = [];
  /** By channel: a push that waits for its successor. */
  readonly #heldBack = new Map<string, Uint8Array>();
  #injected = 0;

  constructor(target: FaultTarget, now: () => number = Date.now) {
    this.#target = target;
    this.#now = now;
  }

  /** Faults that began so far. */
  get begun(): number {
    return this.#injected;
  }

  get waitingCount(): number {
    return this.#waiting.length + this.#timers.size;
  }

  add(spec: FaultSpec): void {
    if (spec.action === 'oldSnapshots') this.#target.keepHistory(symbolOf(spec));
    if (spec.afterPushes !== undefined) this.#waiting.push({ spec, pushesLeft: spec.afterPushes });
    else if (spec.afterMs !== undefined) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#begin(spec);
      }, spec.afterMs);
      this.#timers.add(timer);
    } else this.#begin(spec);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting = [];
    this.#active = [];
  }

  /** True when no push can be concerned by anything: the caller may send it as it is. */
  get idle(): boolean {
    return this.#waiting.length === 0 && this.#active.length === 0 && this.#heldBack.size === 0;
  }

  /** What to send in place of a depth push, in this order. */
  depthPush(symbol: string, channel: string, payload: Uint8Array): readonly Uint8Array[] {
    this.#countPush(symbol);
    const earlier = this.#heldBack.get(channel);
    // The successor of a push held back completes its pair; it does not begin another.
    const fault = this.#take(symbol, (action) => pushActions.has(action) && (earlier === undefined || action !== 'reorder'));
    const sent = this.#mangle(fault?.spec, channel, payload);
    if (earlier === undefined) return sent;
    this.#heldBack.delete(channel);
    return [...sent, earlier];
  }

  /** Nobody subscribes to the channel any more. */
  channelClosed(channel: string): void {
    this.#heldBack.delete(channel);
  }

  /** Whether the symbol is silent now: `merge` = its changes come later, `gap` = they are lost. */
  stalled(symbol: string): 'merge' | 'gap' | undefined {
    const fault = this.#find(symbol, (action) => action === 'stall');
    return fault?.spec.action === 'stall' ? (fault.spec.after ?? 'merge') : undefined;
  }

  refuses(symbol: string | null): boolean {
    return this.#take(symbol, (action) => action === 'refuse') !== undefined;
  }

  /** The failure that answers a request for this symbol (`null` = none named). */
  restFailure(symbol: string | null): Extract<FaultSpec, { action: 'rest429' | 'rest403' | 'rest5xx' }> | undefined {
    const spec = this.#take(symbol, (action) => action === 'rest429' || action === 'rest403' || action === 'rest5xx')?.spec;
    return spec?.action === 'rest429' || spec?.action === 'rest403' || spec?.action === 'rest5xx' ? spec : undefined;
  }

  /** How the next depth answer of the symbol is spoiled. */
  snapshot(symbol: string): { readonly delayMs: number; readonly pushesOld: number } {
    const slow = this.#take(symbol, (action) => action === 'slowSnapshots')?.spec;
    const old = this.#take(symbol, (action) => action === 'oldSnapshots')?.spec;
    return {
      delayMs: slow?.action === 'slowSnapshots' ? slow.delayMs : 0,
      pushesOld: old?.action === 'oldSnapshots' ? old.pushes : 0,
    };
  }

  #begin(spec: FaultSpec): void {
    this.#injected++;
    switch (spec.action) {
      case 'drop':
        this.#target.dropConnections(symbolOf(spec), spec.closeCode);
        return;
      case 'halfOpen':
        this.#target.freezeConnections(symbolOf(spec));
        return;
      case 'skip':
      case 'duplicate':
      case 'reorder':
      case 'truncate':
      case 'corruptLevel':
      case 'unknownFields':
        this.#active.push({ spec, remaining: spec.pushes ?? 1, endMs: Infinity });
        return;
      default:
        this.#active.push({ spec, ...this.#span(spec) });
    }
  }

  #span(spec: { readonly action: FaultAction; readonly count?: number; readonly forMs?: number }): { remaining: number; endMs: number } {
    if (spec.forMs !== undefined) return { remaining: Infinity, endMs: this.#now() + spec.forMs };
    return { remaining: spec.count ?? 1, endMs: Infinity };
  }

  #countPush(symbol: string): void {
    if (this.#waiting.length === 0) return;
    const due = this.#waiting.filter((fault) => concerns(fault.spec, symbol) && fault.pushesLeft-- === 0);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter((fault) => !due.includes(fault));
    for (const fault of due) this.#begin(fault.spec);
  }

  #mangle(spec: FaultSpec | undefined, channel: string, payload: Uint8Array): readonly Uint8Array[] {
    switch (spec?.action) {
      case 'skip':
        return [];
      case 'duplicate':
        return [payload, payload];
      case 'unknownFields':
        return [withUnknownFields(payload)];
      case 'corruptLevel':
        return [corrupted(payload)];
      case 'truncate':
        return spec.mode === 'add' ? [truncated(payload), payload] : [truncated(payload)];
      case 'reorder':
        this.#heldBack.set(channel, payload);
        return [];
      default:
        return [payload];
    }
  }

  #take(symbol: string | null, wanted: (action: FaultAction) => boolean): ActiveFault | undefined {
    const fault = this.#find(symbol, wanted);
    if (fault !== undefined && --fault.remaining === 0) this.#active.splice(this.#active.indexOf(fault), 1);
    return fault;
  }

  #find(symbol: string | null, wanted: (action: FaultAction) => boolean): ActiveFault | undefined {
    if (this.#active.length === 0) return undefined;
    const now = this.#now();
    if (this.#active.some((fault) => fault.endMs <= now)) this.#active = this.#active.filter((fault) => fault.endMs > now);
    return this.#active.find((fault) => wanted(fault.spec.action) && concerns(fault.spec, symbol));
  }
}

function symbolOf(spec: FaultSpec): string | null {
  return spec.symbol === undefined || spec.symbol === '*' ? null : spec.symbol;
}

function concerns(spec: FaultSpec, symbol: string | null): boolean {
  const wanted = symbolOf(spec);
  return wanted === null || wanted === symbol;
}
