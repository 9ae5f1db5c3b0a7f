import { join } from 'node:path';
import { expect } from 'vitest';
import { packageRoot } from '../../src/support/config/index.js';
import { it } from '../support/cleanup.js';
import { exchangeOf, MdpProcess } from '../support/mdp-process.js';

const preload = join(packageRoot(), 'test/support/throw-when-told.mjs');

it.for([
  ['throw', /^mdp: UNCAUGHT_ERROR: TypeError: no such thing \(at .*throw-when-told\.mjs.*\)\n$/],
  ['throw an error of ours', /^mdp: UNCAUGHT_ERROR: CONFIG_INVALID: two: a b \(at .*throw-when-told\.mjs.*\)\n$/],
  ['throw an error of the system', /^mdp: UNCAUGHT_ERROR: EPIPE: write EPIPE \(at .*throw-when-told\.mjs.*\)\n$/],
  ['reject', /^mdp: UNCAUGHT_ERROR: RangeError: too far \(at .*throw-when-told\.mjs.*\)\n$/],
  ['reject with nothing', /^mdp: UNCAUGHT_ERROR: \[Object: null prototype\] \{\}\n$/],
] as const)('an error nobody caught ends the process with 3 and one line: %s', async ([deed, line], { opened }) => {
  const sim = opened(new MdpProcess('sim', '--port', '0', '--symbols', '3'));
  const { wsUrl, restUrl } = await exchangeOf(sim);
  const flags = ['--port', '0', '--symbols', 'all', '--workers', '1', '--ws-url', wsUrl, '--rest-url', restUrl];
  const start = opened(new MdpProcess({ preload }, 'start', ...flags));
  await start.text(/"all books live"/);
  start.send(deed);
  expect(await start.ended).toEqual({ code: 3, signal: null });
  expect(start.stderr).toMatch(line);
});
