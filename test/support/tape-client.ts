import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Trade } from '../../src/model/trade.js';

/** A `GET /trades/:symbol` answer, as far as tests look at it. */
export interface TapeAnswer {
  readonly state: string;
  readonly epoch: number;
  readonly seq: number;
  readonly trades: readonly Trade[];
  readonly skipped: readonly { readonly from: number | null; readonly to: number }[];
  readonly next: number | null;
}

export async function fetchPage(url: string, symbol: string, query = ''): Promise<TapeAnswer | undefined> {
  const response = await fetch(`${url}/trades/${encodeURIComponent(symbol)}${query}`);
  if (response.status === 503) return undefined;
  if (!response.ok) throw new Error(`${symbol}: ${response.status} ${await response.text()}`);
  return (await response.json()) as TapeAnswer;
}

/** The whole tape, oldest first, page by page from the newest trade on at the moment of the call. */
export async function fetchTape(
  url: string,
  symbol: string,
): Promise<{ readonly trades: Trade[]; readonly skipped: TapeAnswer['skipped'] }> {
  const trades: Trade[] = [];
  const skipped: TapeAnswer['skipped'][number][] = [];
  let before: number | null = null;
  do {
    const page: TapeAnswer | undefined = await fetchPage(url, symbol, `?limit=1000${before === null ? '' : `&before=${before}`}`);
    if (page === undefined) throw new Error(`the tape of ${symbol} is not known`);
    trades.unshift(...page.trades);
    skipped.unshift(...page.skipped);
    before = page.next;
  } while (before !== null);
  return { trades, skipped };
}

interface TradeMessage {
  readonly ch?: string;
  readonly sym: string;
  readonly type: 'snapshot' | 'trades' | 'skipped' | 'state';
  readonly epoch: number;
  readonly seq: number;
  readonly prev: number | null;
  readonly state?: string;
  readonly trades?: readonly Trade[];
}

/** A client of the channel `trade` that checks every message against the one before it. */
export class TapeFollower {
  readonly trades = new Map<string, Trade[]>();
  readonly states = new Map<string, string[]>();
  /** Skipped messages, and whatever broke the rules of the channel. */
  readonly faults: string[] = [];
  readonly #seqs = new Map<string, number>();
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async connect(wsUrl: string, symbols: readonly string[]): Promise<TapeFollower> {
    const socket = new WebSocket(wsUrl, { perMessageDeflate: false });
    const follower = new TapeFollower(socket);
    socket.on('message', (data: Buffer) => follower.#received(JSON.parse(data.toString()) as TradeMessage));
    socket.on('error', () => {});
    await once(socket, 'open');
    socket.send(JSON.stringify({ op: 'subscribe', channel: 'trade', symbols }));
    return follower;
  }

  close(): void {
    this.#socket.terminate();
  }

  #received(message: TradeMessage): void {
    if (message.ch !== 'trade') return;
    const { sym, type, seq, prev, trades = [], state } = message;
    const held = this.trades.get(sym) ?? [];
    this.trades.set(sym, held);
    const states = this.states.get(sym) ?? [];
    this.states.set(sym, states);
    if (state !== undefined && states.at(-1) !== state) states.push(state);
    const last = this.#seqs.get(sym);
    if (type === 'skipped') this.faults.push(`${sym}: ${JSON.stringify(message)}`);
    if (type === 'trades' && (prev !== last || trades[0]?.id !== prev + 1)) this.faults.push(`${sym}: ${prev} after ${last}`);
    for (const trade of trades) if (trade.id > (last ?? 0)) held.push(trade);
    this.#seqs.set(sym, seq);
    if (trades.length > 0 && trades.at(-1)!.id !== seq) this.faults.push(`${sym}: seq ${seq} behind trade ${trades.at(-1)!.id}`);
  }
}
