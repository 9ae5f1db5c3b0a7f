import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { PerAddress } from '../../../../src/gateway/access/per-address.js';
import { type AccessOptions, resolveAccess } from '../../../../src/gateway/access/resolve.js';
import { isLoopback } from '../../../../src/support/loopback.js';
import { apiKeys } from '../../../support/api-keys.js';

const lines: string[] = [];
const logger = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });

async function resolve(host: string, options: AccessOptions = {}) {
  lines.length = 0;
  return resolveAccess(host, options, logger);
}

describe('loopback', () => {
  it.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', 'localhost'])('is %s', async (host) => {
    expect(await isLoopback(host)).toBe(true);
  });

  it.each(['', '0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1', '128.0.0.1', 'fe80::1'])('is not %s', async (host) => {
    expect(await isLoopback(host)).toBe(false);
  });

  it('is no name that stands for nothing', async () => {
    await expect(isLoopback('no-such-host.invalid')).rejects.toMatchObject({ syscall: 'getaddrinfo' });
  });
});

describe('an address that other machines reach', () => {
  it.each(['', '0.0.0.0', '::', '192.0.2.1'])('%j needs keys, or the word that this is meant', async (host) => {
    await expect(resolve(host)).rejects.toMatchObject({
      code: 'PUBLIC_WITHOUT_KEYS',
      message: expect.stringMatching(/^\S+: other machines can reach this address .* --api-keys, .* --insecure-public/),
    });
  });

  it('starts with that word, and the log says what it means', async () => {
    await resolve('0.0.0.0', { insecurePublic: true });
    expect(lines).toEqual([expect.stringMatching(/"level":40.*"host":"0\.0\.0\.0".*no API key is configured.*\(--insecure-public\)/)]);
  });

  it('starts with keys, and the log says that they travel in clear', async () => {
    await resolve('0.0.0.0', { apiKeys });
    expect(lines).toEqual([expect.stringMatching(/"level":40.*there is no TLS/)]);
  });

  it('has limits of an address unless told otherwise; loopback has none', async () => {
    const { limits } = await resolve('0.0.0.0', { apiKeys });
    expect(limits).toEqual({ connectionsPerAddress: 100, requestsPerSecond: 100, idleMs: 600_000 });
    const given = await resolve('0.0.0.0', { apiKeys, connections: 5, connectionsPerAddress: 'off', requestsPerSecond: 7 });
    expect(given.limits).toEqual({ connections: 5, connectionsPerAddress: Infinity, requestsPerSecond: 7, idleMs: 600_000 });
    const here = await resolve('127.0.0.1');
    expect(here.limits).toEqual({ connectionsPerAddress: Infinity, requestsPerSecond: Infinity, idleMs: Infinity });
    expect(lines).toEqual([]);
  });
});

describe('the name a page has to ask under', () => {
  it.each<[string, AccessOptions, string | null]>([
    ['127.0.0.1', {}, '127.0.0.1'],
    ['LocalHost', {}, 'localhost'],
    ['127.0.0.1', { trustProxy: ['127.0.0.1'] }, '127.0.0.1'],
    ['127.0.0.1', { apiKeys }, null],
    ['0.0.0.0', { apiKeys }, null],
    ['0.0.0.0', { insecurePublic: true }, null],
  ])('on %s with %j is %j', async (host, options, name) => {
    expect((await resolve(host, options)).access.localName).toBe(name);
  });
});

describe('loopback behind a trusted proxy', () => {
  const trustProxy = ['127.0.0.1'];

  it('has the limits of an address that other machines reach, unless told otherwise', async () => {
    const { limits } = await resolve('127.0.0.1', { trustProxy });
    expect(limits).toEqual({ connectionsPerAddress: 100, requestsPerSecond: 100, idleMs: 600_000 });
    const given = await resolve('127.0.0.1', { trustProxy, connectionsPerAddress: 'off', requestsPerSecond: 7 });
    expect(given.limits).toEqual({ connectionsPerAddress: Infinity, requestsPerSecond: 7, idleMs: 600_000 });
  });

  it('needs neither keys nor a word that this is meant', async () => {
    await resolve('127.0.0.1', { trustProxy });
    expect(lines).toEqual([]);
  });
});

describe('TLS files', () => {
  it.each([
    [{ tlsCert: 'cert.pem' }, /belong together/],
    [{ tlsKey: 'key.pem' }, /belong together/],
    [{ tlsCert: 'not/there.pem', tlsKey: 'key.pem' }, /^not\/there\.pem cannot be read: ENOENT/],
    [{ tlsCert: 'package.json', tlsKey: 'LICENSE' }, /^package\.json and LICENSE are no certificate and its key: /],
  ])('%j cannot be used', async (options, reason) => {
    await expect(resolve('127.0.0.1', options)).rejects.toMatchObject({ code: 'TLS_UNUSABLE', message: expect.stringMatching(reason) });
  });
});

describe('PerAddress', () => {
  it('counts IPv6 by networks of 64 bits, and IPv4 inside it as IPv4', () => {
    const counted = new PerAddress(2);
    const first = counted.take('2001:db8::1');
    expect(counted.take('2001:db8::ffff:2')).toBeDefined();
    expect(counted.take('2001:db8:0:0:9::3')).toBeUndefined();
    expect(counted.take('2001:db8:0:1::1')).toBeDefined();
    first!();
    expect(counted.take('2001:db8::4')).toBeDefined();
    expect(counted.take('10.0.0.1')).toBeDefined();
    expect(counted.take('::ffff:10.0.0.1')).toBeDefined();
    expect(counted.take('10.0.0.1')).toBeUndefined();
  });
});
