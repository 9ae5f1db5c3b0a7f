import { createHash } from 'node:crypto';
import type { ApiKey } from '../../src/support/config/index.js';

/** Two keys of tests, as their owners have them. */
export const readerKey = 'reader-key-of-tests-0123456789abcdef';
export const adminKey = 'admin-key-of-tests-0123456789abcdef';

/** The same as an engine is told of them. */
export const apiKeys: readonly ApiKey[] = [
  { name: 'bot', right: 'read', sha256: hashOf(readerKey) },
  { name: 'ops', right: 'admin', sha256: hashOf(adminKey) },
];

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
