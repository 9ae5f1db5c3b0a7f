import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKey, Right } from '../../support/config/index.js';
import { Problem } from '../problem.js';

/** Where a client may write its key, said to those who did not. */
const HOW = 'give it as "Authorization: Bearer KEY" or "X-API-Key: KEY"';

interface KnownKey {
  readonly name: string;
  readonly right: Right;
  readonly digest: Buffer;
}

/**
 * The API keys a process takes. It knows their hashes only. A key that is shown is hashed, and its hash compared with each of those known,
 * all of them and each in constant time, so that the time of an answer tells nothing.
 */
export class KeyRing {
  readonly #keys: readonly KnownKey[];

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map(({ name, right, sha256 }) => ({ name, right, digest: Buffer.from(sha256, 'hex') }));
  }

  /** Whether clients have to show a key; without any everybody may do everything. */
  get required(): boolean {
    return this.#keys.length > 0;
  }

  /**
   * Whose key it is that a client has shown; `undefined` when nobody needs one. Throws Problem KEY_REQUIRED, KEY_UNKNOWN, RIGHT_MISSING, none
   * of which repeats the key.
   */
  admit(shown: string | undefined, right: Right): string | undefined {
    if (!this.required) return undefined;
    if (shown === undefined) throw new Problem('KEY_REQUIRED', `an API key is needed: ${HOW}`, {}, { headers: challenge });
    const digest = createHash('sha256').update(shown).digest();
    let found: KnownKey | undefined;
    for (const key of this.#keys) if (timingSafeEqual(key.digest, digest)) found = key;
    if (found === undefined) throw new Problem('KEY_UNKNOWN', 'no such API key', {}, { headers: challenge });
    if (right === 'admin' && found.right !== 'admin')
      throw new Problem('RIGHT_MISSING', `the key "${found.name}" may read only; this needs one with the right "admin"`, { right });
    return found.name;
  }
}

const challenge = { 'www-authenticate': 'Bearer realm="mdp"' };
