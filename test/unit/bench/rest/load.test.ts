import { expect, test } from 'vitest';
import { parseAutocannon, parseWrk } from '../../../../bench/rest/load.js';

const wrk = `Running 2s test @ http://127.0.0.1:1/
  1 threads and 50 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.15ms    1.02ms  20.39ms   93.12%
    Req/Sec    23.87k     2.05k   26.30k    80.00%
  Latency Distribution
     50%    1.95ms
     75%  950.00us
     90%    3.11ms
     99%    1.02s
  47512 requests in 2.00s, 63.21MB read
Requests/sec:  23750.12
Transfer/sec:     31.60MB
`;

test('what wrk says', () => {
  expect(parseWrk(wrk)).toEqual({ perSecond: 23750.12, p50Ms: 1.95, p99Ms: 1020 });
});

test.each(['  Non-2xx or 3xx responses: 12', '  Socket errors: connect 0, read 3, write 0, timeout 0'])('%s is no result', (line) => {
  expect(() => parseWrk(wrk.replace('Requests/sec', `${line}\nRequests/sec`))).toThrow(line.trim());
});

test('wrk without a latency distribution is no result', () => {
  expect(() => parseWrk(wrk.replace('     50%    1.95ms\n', ''))).toThrow('wrk says nothing of 50 %');
});

test('what autocannon says', () => {
  const answer = { requests: { average: 1234.5 }, latency: { p50: 2, p99: 9 }, errors: 0, timeouts: 0, '4xx': 0, '5xx': 0 };
  expect(parseAutocannon(JSON.stringify(answer))).toEqual({ perSecond: 1234.5, p50Ms: 2, p99Ms: 9 });
  expect(() => parseAutocannon(JSON.stringify({ ...answer, '5xx': 3 }))).toThrow('0 requests failed, 3 were refused');
  expect(() => parseAutocannon(JSON.stringify({ ...answer, timeouts: 2 }))).toThrow('2 requests failed, 0 were refused');
});
