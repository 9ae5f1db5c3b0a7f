import type { Prng } from '../../src/simulator/prng.js';
import { once, pick } from './lanes.js';
import { oddName, oddText, oddValue } from './odd-values.js';

/** Paths and the parameters each knows, with sound values of them. */
const routes: readonly (readonly [path: string, parameters: Readonly<Record<string, readonly string[]>>])[] = [
  ['/orderbook/:symbol', { depth: ['1', '20', '5000', 'full'], numbers: ['string', 'float'], allowStale: ['true', 'false'] }],
  ['/orderbook/:symbol/depth', { bps: ['10', '1,10,100'], allowStale: ['true'] }],
  ['/orderbook/:symbol/slippage', { side: ['buy', 'sell'], size: ['1.5', '0.001'], notional: ['100'], allowStale: ['true'] }],
  ['/orderbooks', { symbols: [':symbol', ':symbol,:symbol,:symbol'], depth: ['1', '500'], numbers: ['float'] }],
  ['/bbo', { symbols: [':symbol', ':symbol,:symbol'] }],
  ['/trades/:symbol', { limit: ['1', '1000'], before: ['1', '99'] }],
  ['/ticker/:symbol', {}],
  ['/tickers', {}],
  ['/analytics/:symbol', { depth: ['1', '20'], bps: ['10,50'] }],
  ['/symbols', {}],
  ['/symbols/:symbol', {}],
  ['/status', {}],
  ['/status/:symbol', {}],
  ['/audit/:symbol', {}],
  ['/health/live', {}],
  ['/health/ready', {}],
  ['/log-level', { level: ['info'] }],
  ['/openapi.json', {}],
  ['/asyncapi.json', {}],
  ['/docs', {}],
  ['/docs/yaml', {}],
  ['/ws', {}],
  ['/nothing/:symbol', {}],
];
/** Sound ones go on to the exchange, which has a budget of requests: only broken ones are sent by the thousand. */
const candles = [
  'interval=1s',
  'interval=',
  'interval=1M%20',
  'start=-1',
  'end=1e12',
  'limit=0',
  'limit=1001',
  'x=1',
  `end=${'9'.repeat(400)}`,
];
const methods = [...Array.from({ length: 20 }, () => 'GET'), 'HEAD', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

/** A request that HTTP allows and that lets the connection go on, nearly always with something wrong in it. */
export function oddRequest(random: Prng, symbols: readonly string[]): Buffer {
  const [route, parameters] = once(random, 20) ? (['/candles/:symbol', {}] as const) : pick(random, routes);
  const method = pick(random, methods);
  // What changes the engine is only asked for pairs the exchange does not list, and for levels there are not.
  const changes = method !== 'GET' && method !== 'HEAD';
  const symbolOf = (): string => (changes ? 'NOPEUSDT' : pick(random, symbols));
  const path = route.replace(':symbol', () => segment(random, once(random, 3) && !changes ? oddName(random, symbols) : symbolOf()));
  const query = Object.entries(parameters).flatMap(([name, values]) => {
    if (once(random, 2)) return [];
    const sound = pick(random, values).replaceAll(':symbol', symbolOf);
    return [`${name}=${once(random, 3) ? segment(random, changes ? 'none' : oddText(random)) : encodeURIComponent(sound)}`];
  });
  if (route.startsWith('/candles')) query.push(pick(random, candles));
  if (once(random, 8)) query.push(`${segment(random, oddText(random))}=${segment(random, oddText(random))}`);
  if (once(random, 20))
    query.push(
      pick(random, ['depth', 'depth[]=1', 'depth=1&depth=2', '&&&', '=', '%', '%00=%00', 'a=%ff', '__proto__=1', '__proto__[x]=1']),
    );
  const target = `${path}${query.length === 0 ? '' : `?${query.join(pick(random, ['&', '&', '&', '&&', ';']))}`}`;
  const headers = ['Host: localhost', ...oddHeaders(random)];
  const { head, body } = bodyOf(random, changes);
  return Buffer.concat([
    Buffer.from(`${method} ${printable(target)} HTTP/1.1\r\n${[...headers, ...head].join('\r\n')}\r\n\r\n`, 'latin1'),
    body,
  ]);
}

function segment(random: Prng, text: string): string {
  switch (random.below(8)) {
    case 0:
      return text;
    case 1:
      return Buffer.from(text)
        .toString('latin1')
        .replace(/./gs, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
    case 2:
      return `${text}${pick(random, ['%', '%2', '%zz', '%00', '%2f', '%c3%28', '%ed%a0%80', '/', '//', '/..', '.', ';a=b', '#x', '?'])}`;
    default:
      return encodeURIComponent(text.toWellFormed());
  }
}

/** A target is printable ASCII: anything else ends the connection, which is for others to try. */
function printable(target: string): string {
  return target.replace(/[^\x21-\x7e]/g, '%').slice(0, 4000);
}

function oddHeaders(random: Prng): string[] {
  const some = [
    `Accept: ${pick(random, ['*/*', 'text/plain', 'application/json;q=0', ';;;', ''])}`,
    `Accept-Encoding: ${pick(random, ['gzip', 'br;q=9', '*', ''])}`,
    `If-None-Match: ${pick(random, ['"1-2-3"', '*', 'W/"x"', '"', '"a","b"', 'x'.repeat(2000)])}`,
    `X-Forwarded-For: ${pick(random, ['1.2.3.4', '::1', 'x', '1.1.1.1, 2.2.2.2', ',,,'])}`,
    `Authorization: ${pick(random, ['Bearer', 'Bearer x', 'Basic eDp5', '', 'Bearer '.repeat(100)])}`,
    `X-API-Key: ${pick(random, ['', 'x', '\xff\xfe', 'x'.repeat(4000)])}`,
    `Origin: ${pick(random, ['null', 'http://x', '', '::::'])}`,
    `Range: bytes=${pick(random, ['0-1', '-1', '9-', 'x'])}`,
    `Cookie: ${'a=b;'.repeat(random.below(50))}`,
    `X-${'A'.repeat(1 + random.below(100))}: \x80\xff`,
    `Content-Encoding: ${pick(random, ['gzip', 'identity', 'x'])}`,
    `If-Modified-Since: ${pick(random, ['0', 'Thu, 01 Jan 1970 00:00:00 GMT'])}`,
  ];
  return some.filter(() => once(random, 6));
}

function bodyOf(random: Prng, wanted: boolean): { readonly head: readonly string[]; readonly body: Buffer } {
  // What cannot be read ends the connection: not too often.
  if (!once(random, wanted ? 12 : 100)) return { head: [], body: Buffer.alloc(0) };
  const type = pick(random, [
    'application/json',
    'application/json; charset=utf-16',
    'text/plain',
    'application/x-www-form-urlencoded',
    'x',
    '',
    'multipart/form-data',
  ]);
  const text = pick(random, [
    JSON.stringify(oddValue(random)),
    '{',
    '',
    '{"__proto__":{"a":1}}',
    '{"constructor":{"prototype":{}}}',
    '['.repeat(3000),
    '\xff\xfe',
  ]);
  const body = Buffer.from(text, 'latin1');
  if (!once(random, 4)) return { head: [`Content-Type: ${type}`, `Content-Length: ${body.length}`], body };
  const chunk =
    body.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);
  return { head: [`Content-Type: ${type}`, 'Transfer-Encoding: chunked'], body: Buffer.concat([chunk, Buffer.from('0\r\n\r\n')]) };
}
