import type { Logger } from 'pino';
import type { ApiKey, Origins } from '../../support/config/index.js';
import { CodedError, ErrorCode } from '../../support/errors.js';
import { isLoopback } from '../../support/loopback.js';
import type { GatewayLimits } from '../limits.js';
import { KeyRing } from './key-ring.js';
import { Refusals } from './refusals.js';
import { loadTls, type TlsPair } from './tls.js';

/** Who may ask, how, and how much; what is left out is as `mdp start` has it. */
export interface AccessOptions {
  /** Listen beyond this machine although nobody has to show a key. Default false. */
  readonly insecurePublic?: boolean;
  /** Keys that clients have to show. Default none: everybody may do everything. */
  readonly apiKeys?: readonly ApiKey[];
  /** PEM files of certificate and private key, both or neither (`null`, the default). */
  readonly tlsCert?: string | null;
  readonly tlsKey?: string | null;
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed. Default none. */
  readonly trustProxy?: readonly string[];
  /** Web pages that may open the WebSocket. Default `any`. */
  readonly origins?: Origins;
  /** Connections at a time to each port. Default 20,000. */
  readonly connections?: number;
  /** Of one address. `auto`, the default, is 100, and off on loopback without trusted proxies. */
  readonly connectionsPerAddress?: number | 'auto' | 'off';
  /** HTTP requests of one address, and gRPC calls as many. `auto`, the default, is 100, and off on loopback without trusted proxies. */
  readonly requestsPerSecond?: number | 'auto' | 'off';
}

/** The same, resolved: what the servers work with. */
export interface Access {
  readonly keys: KeyRing;
  readonly tls: TlsPair | undefined;
  readonly trustProxy: readonly string[];
  readonly origins: Origins;
  /**
   * What the listener is called, in small letters, where only this machine reaches it and nobody needs a key: there it also matters under
   * which name a page asks, see `page-rule.ts`. `null` = it does not.
   */
  readonly localName: string | null;
  readonly refusals: Refusals;
}

/** No keys, no TLS, every origin: what a gateway has that is told nothing. */
export function openAccess(): Access {
  return { keys: new KeyRing([]), tls: undefined, trustProxy: [], origins: 'any', localName: null, refusals: new Refusals() };
}

/** What `auto` is for a listener that other machines reach, be it through a proxy. */
const PUBLIC_CONNECTIONS_PER_ADDRESS = 100;
const PUBLIC_REQUESTS_PER_SECOND = 100;
/** How long a client of such a listener may be without a subscription, a call or a message, in ms. */
const PUBLIC_IDLE_MS = 10 * 60_000;

export type AccessLimits = Pick<GatewayLimits, 'connectionsPerAddress' | 'requestsPerSecond' | 'idleMs'> &
  Partial<Pick<GatewayLimits, 'connections'>>;

/**
 * Decides whether a listener at `host` may start at all, and with which access and limits. Throws CodedError PUBLIC_WITHOUT_KEYS, TLS_UNUSABLE;
 * rejects with the system's error when `host` is a name that stands for no address.
 */
export async function resolveAccess(
  host: string,
  options: AccessOptions,
  logger: Logger,
): Promise<{ readonly access: Access; readonly limits: AccessLimits }> {
  const { insecurePublic = false, apiKeys = [], tlsCert = null, tlsKey = null, trustProxy = [], origins = 'any', connections } = options;
  const isPublic = !(await isLoopback(host));
  const keys = new KeyRing(apiKeys);
  if (isPublic && !keys.required) requireConsent(host, insecurePublic, logger);
  const tls = loadTls(tlsCert, tlsKey);
  if (isPublic && keys.required && tls === undefined)
    logger.warn({ host }, 'other machines can reach this address and there is no TLS: keys travel in clear unless a proxy in front has it');
  // A proxy brings clients from elsewhere also to loopback.
  const isReached = isPublic || trustProxy.length > 0;
  const limit = (given: number | 'auto' | 'off', whenReached: number): number => {
    if (given === 'auto') return isReached ? whenReached : Infinity;
    return given === 'off' ? Infinity : given;
  };
  const localName = isPublic || keys.required ? null : host.toLowerCase();
  return {
    access: { keys, tls, trustProxy, origins, localName, refusals: new Refusals() },
    limits: {
      ...(connections !== undefined && { connections }),
      connectionsPerAddress: limit(options.connectionsPerAddress ?? 'auto', PUBLIC_CONNECTIONS_PER_ADDRESS),
      requestsPerSecond: limit(options.requestsPerSecond ?? 'auto', PUBLIC_REQUESTS_PER_SECOND),
      idleMs: isReached ? PUBLIC_IDLE_MS : Infinity,
    },
  };
}

/** Whoever opens the process to the network without keys has to say that this is meant. */
function requireConsent(host: string, insecurePublic: boolean, logger: Logger): void {
  const why =
    'other machines can reach this address and no API key is configured: whoever does can read everything and change what is tracked';
  if (!insecurePublic)
    throw new CodedError(
      ErrorCode.PUBLIC_WITHOUT_KEYS,
      `${host || '::'}: ${why}; configure --api-keys, or listen on 127.0.0.1, or say --insecure-public if this is meant`,
      { host },
    );
  logger.warn({ host }, `${why} (--insecure-public)`);
}
