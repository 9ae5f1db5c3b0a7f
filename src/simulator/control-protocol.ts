/**
 * The text messages of the exchange's stream and its answers, byte for byte. A refusal has `code` 0; only the text tells: two spaces before
 * "Reason", a full-width colon behind it, and a space at the end.
 */

export type ControlRequest =
  | { readonly method: 'PING'; readonly id: number }
  | { readonly method: 'SUBSCRIPTION' | 'UNSUBSCRIPTION'; readonly id: number; readonly channels: readonly string[] };

/** Reads a client's message; `undefined` when it is no request the exchange knows. PING is taken in either case, as the official demos send both. */
export function parseControlRequest(text: string): ControlRequest | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof message !== 'object' || message === null) return undefined;
  const { method, params, id: givenId } = message as Record<string, unknown>;
  const id = typeof givenId === 'number' && Number.isSafeInteger(givenId) && givenId >= 0 ? givenId : 0;
  if (typeof method !== 'string') return undefined;
  if (method.toUpperCase() === 'PING') return { method: 'PING', id };
  if (method !== 'SUBSCRIPTION' && method !== 'UNSUBSCRIPTION') return undefined;
  if (!Array.isArray(params) || params.length === 0 || !params.every((channel): channel is string => typeof channel === 'string'))
    return undefined;
  return { method, id, channels: params };
}

export function pongText(id: number): string {
  return reply(id, 'PONG');
}

/** The answer to a subscription: all accepted, some, or none. */
export function subscriptionText(id: number, accepted: readonly string[], refused: readonly string[]): string {
  if (refused.length === 0) return reply(id, accepted.join(','));
  const refusal = `Not Subscribed successfully! [${refused.join(',')}].  Reason： Blocked! `;
  return reply(id, accepted.length === 0 ? refusal : `Subscribed successful! [${accepted.join(',')}]. ${refusal}`);
}

/** The answer to an unsubscription echoes what was given up. */
export function unsubscriptionText(id: number, removed: readonly string[]): string {
  return reply(id, removed.length === 0 ? 'no subscription' : removed.join(','));
}

/** What the real exchange says to nonsense is not known; this is sent only when asked for. */
export function malformedText(): string {
  return '{"id":0,"code":1,"msg":"malformed request"}';
}

function reply(id: number, msg: string): string {
  return JSON.stringify({ id, code: 0, msg });
}
