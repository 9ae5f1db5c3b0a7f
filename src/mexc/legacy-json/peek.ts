const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LOWER_C = 0x63;
const LOWER_S = 0x73;

export interface TextPeek {
  /** The frame names a channel (`c`): it is a push, not an answer to a request. */
  readonly isPush: boolean;
  /** Where its symbol (`s`) lies; both 0 when it has none, or one that is not written plainly. */
  readonly symbolStart: number;
  readonly symbolEnd: number;
}

/** Finds out what the main thread needs to know of a text frame, without reading it as JSON: one pass over the bytes, and no promise that they are JSON. */
export function peekTextFrame(bytes: Uint8Array): TextPeek {
  let depth = 0;
  let isPush = false;
  let symbolStart = 0;
  let symbolEnd = 0;
  /** The last key of the outermost object, when it was one letter long. */
  let key = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    if (byte !== QUOTE) continue;
    const start = i + 1;
    const end = closingQuote(bytes, start);
    i = end;
    if (depth !== 1) continue;
    if (isKey(bytes, end)) {
      key = end - start === 1 ? bytes[start]! : 0;
      if (key === LOWER_C) isPush = true;
    } else if (key === LOWER_S && !bytes.subarray(start, end).includes(BACKSLASH)) [symbolStart, symbolEnd] = [start, end];
  }
  return { isPush, symbolStart, symbolEnd };
}

/** Offset of the quote that ends the string begun before `start`, or of the end of the bytes. */
function closingQuote(bytes: Uint8Array, start: number): number {
  let i = start;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return Math.min(i, bytes.length);
}

/** Whether a colon follows the string that ends here. */
function isKey(bytes: Uint8Array, end: number): boolean {
  let i = end + 1;
  while (i < bytes.length && bytes[i]! <= 0x20) i++;
  return bytes[i] === COLON;
}
