const textDecoder = new TextDecoder();

/** Unix ms from the body of a `/api/v3/time` answer, `{"serverTime":1764207637123}`; NaN when it says none. */
export function decodeServerTime(body: Uint8Array): number {
  try {
    const answer = JSON.parse(textDecoder.decode(body)) as { readonly serverTime?: unknown } | null;
    const time = answer?.serverTime;
    return typeof time === 'number' && Number.isSafeInteger(time) && time > 0 ? time : NaN;
  } catch {
    return NaN;
  }
}
