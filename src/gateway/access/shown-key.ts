import type { IncomingHttpHeaders } from 'node:http';

/**
 * Browsers cannot set headers of a WebSocket, but can name subprotocols: `new WebSocket(url, ['mdp', 'mdp.key.KEY'])`. A subprotocol that
 * begins so is a key and never chosen. Not a query parameter, since addresses end up in logs.
 */
const KEY_SUBPROTOCOL = 'mdp.key.';

/** The key in the headers of a request, if there is one. */
export function shownKey(headers: IncomingHttpHeaders): string | undefined {
  return keyOf(headers.authorization, headers['x-api-key']) ?? keyOfSubprotocols(headers['sec-websocket-protocol']);
}

/** The key in the values of `authorization` and `x-api-key`, if there is one. */
export function keyOf(authorization: unknown, apiKey: unknown): string | undefined {
  const bearer = typeof authorization === 'string' ? /^bearer +(\S+) *$/i.exec(authorization)?.[1] : undefined;
  if (bearer !== undefined) return bearer;
  return typeof apiKey === 'string' && apiKey !== '' ? apiKey : undefined;
}

/** The subprotocol a WebSocket goes on with: the first that is no key; `false` when there is none. */
export function chooseSubprotocol(offered: ReadonlySet<string>): string | false {
  for (const protocol of offered) if (!protocol.startsWith(KEY_SUBPROTOCOL)) return protocol;
  return false;
}

function keyOfSubprotocols(header: string | undefined): string | undefined {
  const offered = header?.split(',').map((protocol) => protocol.trim());
  return offered?.find((protocol) => protocol.startsWith(KEY_SUBPROTOCOL))?.slice(KEY_SUBPROTOCOL.length);
}
