/**
 * Whether an `If-None-Match` header names this entity tag: `*`, one tag or a list, weak or strong alike
 * (RFC 9110, 13.1.2: the weak comparison).
 */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  // What nearly all clients send.
  if (header === etag) return true;
  if (header.trim() === '*') return true;
  // Tags hold no quotes and ours no commas, so a tag is what stands between two quotes.
  for (const [tag] of header.matchAll(/"[^"]*"/g)) if (tag === etag) return true;
  return false;
}
