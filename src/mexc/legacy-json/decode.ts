import { canonicalDecimal, type TickerFigures } from '../../model/ticker-figures.js';
import { CodedError, ErrorCode } from '../../support/errors.js';
import type { LegacyEvent, LegacyTrades } from './events.js';
import { decimal, type Fields, invalid, levels, list, object, optionalDecimal, optionalTime, text, wholeNumber } from './fields.js';

/** A frame `{c, s, d, t}`: channel, symbol, data, and the time of the event in Unix ms. */
interface Frame {
  readonly channel: string;
  readonly symbol: string | undefined;
  readonly timeMs: number | null;
  readonly data: unknown;
}

const SHOWN_LENGTH_MAX = 120;

/** Words of a channel, the first one found decides. `.` and `@` separate words. */
const readers: readonly (readonly [word: RegExp, read: (frame: Frame) => LegacyEvent])[] = [
  [/(?:^|[.@])bookTicker(?:[.@]|$)/, quote],
  [/(?:^|[.@])miniTickers?(?:[.@]|$)/, miniTickers],
  [/(?:^|[.@])depth(?:[.@]|$)/, book],
  [/(?:^|[.@])(?:deals|trades?)(?:[.@]|$)/, trades],
  [/(?:^|[.@])kline(?:[.@]|$)/, candle],
  [/(?:^|[.@])tickers?(?:[.@]|$)/, ticker],
];

/**
 * Reads one text frame of the JSON streams. Two dialects are understood, told apart by what the frame holds:
 *
 *     plain          depth {s, t, v, b, a}, levels [price, quantity]; deals {s, p, q, v, t, m}; ticker {s, o, h, l, c, v, qv, t}
 *     MEXC, retired  depth {bids, asks, r}, levels {p, v}; deals {deals: [{S, p, v, t}]}; kline {k: …}; bookTicker; miniTicker(s)
 *
 * Throws CodedError: LEGACY_BAD_JSON (no JSON), LEGACY_INVALID_FORMAT (JSON of another form), LEGACY_UNSUPPORTED_CHANNEL.
 */
export function decodeLegacyFrame(source: string): LegacyEvent {
  const frame = parseFrame(source);
  for (const [word, read] of readers) if (word.test(frame.channel)) return read(frame);
  const channel = frame.channel.slice(0, SHOWN_LENGTH_MAX);
  throw new CodedError(ErrorCode.LEGACY_UNSUPPORTED_CHANNEL, `text frame: no such channel as ${JSON.stringify(channel)}`, { channel });
}

function parseFrame(source: string): Frame {
  let parsed: unknown;
  try {
    parsed = JSON.parse(source);
  } catch (cause) {
    throw new CodedError(ErrorCode.LEGACY_BAD_JSON, 'text frame: no JSON', {}, cause);
  }
  const { c, s, d, t } = object('the frame', parsed);
  const data = d ?? undefined;
  if (data === undefined) throw invalid('d');
  const inner = typeof data === 'object' && 's' in data ? data.s : undefined;
  const symbol = s ?? inner;
  if (s !== undefined && inner !== undefined && s !== inner) throw invalid('s of d', inner);
  return {
    channel: text('c', c),
    symbol: symbol === undefined ? undefined : text('s', symbol),
    timeMs: optionalTime('t', t),
    data,
  };
}

function symbolOf(frame: Frame): string {
  if (frame.symbol === undefined) throw invalid('s');
  return frame.symbol;
}

function book(frame: Frame): LegacyEvent {
  const data = object('d', frame.data);
  const symbol = symbolOf(frame);
  // MEXC's versions are called r; the plain dialect's v.
  if (data['r'] !== undefined) {
    const effect = frame.channel.includes('limit.depth') ? 'replace_newer' : 'update';
    const [bids, asks] = [levels('bids', data['bids']), levels('asks', data['asks'])];
    return { kind: 'book', symbol, effect, version: wholeNumber('r', data['r']), timeMs: frame.timeMs, bids, asks };
  }
  return {
    kind: 'book',
    symbol,
    effect: frame.channel.includes('snapshot') ? 'replace' : 'newer',
    version: wholeNumber('v', data['v']),
    timeMs: optionalTime('t of d', data['t']) ?? frame.timeMs,
    bids: levels('b', data['b']),
    asks: levels('a', data['a']),
  };
}

function trades(frame: Frame): LegacyEvent {
  const { data, timeMs } = frame;
  const symbol = symbolOf(frame);
  const deals = Array.isArray(data) ? undefined : object('d', data)['deals'];
  if (deals !== undefined) return { kind: 'trades', symbol, timeMs, trades: list('deals', deals).map(mexcTrade) };
  const rows = Array.isArray(data) ? data : [data];
  return { kind: 'trades', symbol, timeMs, trades: rows.map((row) => plainTrade(row, symbol)) };
}

function mexcTrade(value: unknown): LegacyTrades['trades'][number] {
  const { S, p, v, t } = object('a trade', value);
  if (S !== 1 && S !== 2) throw invalid('S', S);
  return { price: decimal('p', p), quantity: decimal('v', v), timeMs: wholeNumber('t', t), isBuyerMaker: S === 2 };
}

function plainTrade(value: unknown, symbol: string): LegacyTrades['trades'][number] {
  const { s, p, q, t, m } = object('a trade', value);
  if (s !== undefined && s !== symbol) throw invalid('s of a trade', s);
  if (typeof m !== 'boolean') throw invalid('m', m);
  return { price: decimal('p', p), quantity: decimal('q', q), timeMs: wholeNumber('t', t), isBuyerMaker: m };
}

function candle(frame: Frame): LegacyEvent {
  const k = object('k', object('d', frame.data)['k']);
  return {
    kind: 'candle',
    symbol: symbolOf(frame),
    interval: text('i', k['i']),
    openTimeMs: wholeNumber('t', k['t']) * 1000,
    closeTimeMs: wholeNumber('T', k['T']) * 1000,
    open: decimal('o', k['o']),
    high: decimal('h', k['h']),
    low: decimal('l', k['l']),
    close: decimal('c', k['c']),
    volume: decimal('v', k['v']),
    quoteVolume: decimal('a', k['a']),
  };
}

function quote(frame: Frame): LegacyEvent {
  const { A, B, a, b } = object('d', frame.data);
  const [bid, ask] = [[decimal('b', b), decimal('B', B)] as const, [decimal('a', a), decimal('A', A)] as const];
  return { kind: 'quote', symbol: symbolOf(frame), timeMs: frame.timeMs, bid, ask };
}

function ticker(frame: Frame): LegacyEvent {
  const data = object('d', frame.data);
  const figures: TickerFigures = {
    ...NO_FIGURES,
    timeMs: optionalTime('t of d', data['t']) ?? frame.timeMs,
    lastPrice: canonical('c', decimal('c', data['c'])),
    openPrice: figure('o', data),
    highPrice: figure('h', data),
    lowPrice: figure('l', data),
    volume: figure('v', data),
    quoteVolume: figure('qv', data),
  };
  return { kind: 'tickers', tickers: [{ symbol: symbolOf(frame), figures }] };
}

/** As in the binary push, `v` is the turnover in quote units and `q` the volume in base units; `r` is the change of the channel's day. */
function miniTickers(frame: Frame): LegacyEvent {
  const rolling = frame.channel.endsWith('@24H');
  const rows = Array.isArray(frame.data) ? frame.data : [frame.data];
  const tickers = rows.map((row: unknown) => {
    const data = object('a ticker', row);
    const figures: TickerFigures = {
      ...NO_FIGURES,
      timeMs: optionalTime('t of a ticker', data['t']) ?? frame.timeMs,
      lastPrice: canonical('p', decimal('p', data['p'])),
      highPrice: figure('h', data),
      lowPrice: figure('l', data),
      volume: figure('q', data),
      quoteVolume: figure('v', data),
      changeRate: rolling ? figure('r', data, true) : null,
    };
    return { symbol: text('s of a ticker', data['s'] ?? frame.symbol), figures };
  });
  return { kind: 'tickers', tickers };
}

const NO_FIGURES: TickerFigures = {
  timeMs: null,
  lastPrice: null,
  lastQuantity: null,
  openPrice: null,
  highPrice: null,
  lowPrice: null,
  volume: null,
  quoteVolume: null,
  priceChange: null,
  changeRate: null,
};

function figure(name: string, data: Fields, signed = false): string | null {
  const found = optionalDecimal(name, data[name], signed);
  return found === null ? null : canonical(name, found, signed);
}

function canonical(name: string, value: string, signed = false): string {
  const found = canonicalDecimal(value, signed);
  if (found === null) throw invalid(name, value);
  return found;
}
