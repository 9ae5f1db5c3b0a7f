import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopbackAddress } from '../../support/loopback.js';
import type { Access } from './resolve.js';

type PageAccess = Pick<Access, 'origins' | 'localName'>;
type Asked = Pick<IncomingHttpHeaders, 'origin' | 'host'>;

const FOREIGN_PAGE = 'pages of this origin may not';
/** Whoever owns a name can have it stand for 127.0.0.1 while a page of that name is open: to a browser the engine is that page's own host then. */
const FOREIGN_NAME =
  'ask under 127.0.0.1 or localhost, name the origin in --origins, or configure API keys: under this host name nobody may';

/** Why who asks with these headers may not change anything; `undefined` when they may. A browser lets any page ask, and only keeps the answer from it. */
export function changeRefusal({ origin, host }: Asked, access: PageAccess): string | undefined {
  const { origins } = access;
  if (origin !== undefined && origins !== 'any') return origins.includes(origin) ? undefined : `${FOREIGN_PAGE} change anything`;
  if (origin !== undefined && !isOf(origin, host)) return `${FOREIGN_PAGE} change anything`;
  return isAskedByName(host, access) ? undefined : `${FOREIGN_NAME} change anything`;
}

/** Why a WebSocket may not be opened, likewise. Only browsers say where it comes from, always, and they cannot be made to lie about it. */
export function openRefusal({ origin, host }: Asked, access: PageAccess): string | undefined {
  const { origins } = access;
  if (origin === undefined) return undefined;
  if (origins !== 'any') return origins.includes(origin) ? undefined : `${FOREIGN_PAGE} connect`;
  return isAskedByName(host, access) ? undefined : `${FOREIGN_NAME} connect from a page`;
}

/** Whether a page comes from the host that is asked. */
function isOf(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** Whether `Host` is a name that nobody else can have stand for this machine: of loopback, of the listener, of an origin that is allowed. */
function isAskedByName(host = '', { origins, localName }: PageAccess): boolean {
  if (localName === null) return true;
  if (origins !== 'any' && origins.some((origin) => isOf(origin, host))) return true;
  const [, address, word] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d*)?$/.exec(host.toLowerCase()) ?? [];
  const name = address ?? word ?? '';
  if (isIP(name) !== 0) return isLoopbackAddress(name);
  return name === localName || name === 'localhost' || name.endsWith('.localhost');
}
