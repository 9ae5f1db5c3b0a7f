import proxyAddr from '@fastify/proxy-addr';
import { CodedError, ErrorCode } from '../errors.js';

/** What a key may do: `read` whatever can be asked for, `admin` also change what is tracked and logged. */
export const rights = ['read', 'admin'] as const;
export type Right = (typeof rights)[number];

/** One API key, as the configuration knows it: the key itself is with its owner only. */
export interface ApiKey {
  /** Says whose key it is, in logs. */
  readonly name: string;
  readonly right: Right;
  /** SHA-256 of the key's UTF-8 bytes, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Web pages that may open `/ws`: origins as browsers send them, or `any`. */
export type Origins = readonly string[] | 'any';

/** `bot:read:9f86d0…,ops:admin:ab12cd…`. Throws CodedError CONFIG_INVALID, which repeats nothing of it. */
export function parseApiKeys(text: string): readonly ApiKey[] {
  const keys = text.split(',').map((item) => {
    const [, name, right, sha256] = /^([\w.-]{1,64}):(read|admin):([0-9a-fA-F]{64})$/.exec(item.trim()) ?? [];
    if (name === undefined) throw invalid('a key is NAME:read:SHA256 or NAME:admin:SHA256');
    return { name, right: right as Right, sha256: sha256!.toLowerCase() };
  });
  if (new Set(keys.map(({ name }) => name)).size !== keys.length) throw invalid('two keys have the same name');
  return keys;
}

/** `https://desk.example,http://127.0.0.1:3000`, or `any`. Throws CodedError CONFIG_INVALID. */
export function parseOrigins(text: string): Origins {
  if (text === 'any') return text;
  return text.split(',').map((item) => {
    const origin = item.trim();
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) throw invalid(`${origin} is no origin`);
    return origin;
  });
}

/** `10.0.0.0/8,127.0.0.1`, or `off` for none: the proxies whose word about a client's address is taken. Throws CodedError CONFIG_INVALID. */
export function parseTrustedProxies(text: string): readonly string[] {
  if (text === 'off') return [];
  const proxies = text.split(',').map((item) => item.trim());
  try {
    proxyAddr.compile(proxies);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
  return proxies;
}

function invalid(message: string): CodedError {
  return new CodedError(ErrorCode.CONFIG_INVALID, message);
}
