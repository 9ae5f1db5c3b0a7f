import { stripVTControlCharacters } from 'node:util';

/** The part of a terminal's stream that is used; both sizes are absent when it is no terminal. */
export interface TerminalStream {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
}

const UP = (lines: number): string => (lines === 0 ? '' : `\x1b[${lines}A`);
const CLEAR_LINE_END = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/**
 * Lines at the bottom of a terminal that are drawn over in place. The cursor rests on the line below them, so whatever else is
 * printed in an emergency comes after them, whole.
 */
export class LiveBlock {
  readonly #stream: TerminalStream;
  #lines: readonly string[] = [];

  constructor(stream: TerminalStream) {
    this.#stream = stream;
  }

  /** Replaces the block; what does not fit the terminal is cut off. */
  draw(lines: readonly string[]): void {
    const up = UP(this.#lines.length);
    this.#lines = this.#fit(lines);
    this.#stream.write(`${up}${this.#text()}${CLEAR_BELOW}`);
  }

  /** Writes text above the block, to stay. */
  print(text: string): void {
    const up = UP(this.#lines.length);
    // Cleared first: the text may be of other lines' length, and it may be longer than the terminal is wide.
    this.#stream.write(`${up}${CLEAR_BELOW}${text.endsWith('\n') ? text : `${text}\n`}${this.#text()}`);
  }

  /** Removes the block. */
  clear(): void {
    this.draw([]);
  }

  #text(): string {
    return this.#lines.map((line) => `${line}${CLEAR_LINE_END}\n`).join('');
  }

  #fit(lines: readonly string[]): readonly string[] {
    // A terminal that does not know its size says 0.
    const columns = this.#stream.columns || 80;
    const rows = this.#stream.rows || 24;
    // A line as wide as the terminal would wrap, and then the way up would be counted wrong.
    return lines.slice(0, rows - 1).map((line) => truncate(line, columns - 1));
  }
}

/** Text without what could steer a terminal: names come from the exchange. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{C}/gu, '?');
}

/** Columns that text takes: CJK letters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const letter of text) width += /\p{M}/u.test(letter) ? 0 : isWide(letter.codePointAt(0)!) ? 2 : 1;
  return width;
}

/** Pads with spaces to a number of columns; to the right edge with `end`. */
export function pad(text: string, columns: number, side: 'start' | 'end'): string {
  const spaces = ' '.repeat(Math.max(0, columns - displayWidth(text)));
  return side === 'start' ? text + spaces : spaces + text;
}

function truncate(text: string, columns: number): string {
  let width = 0;
  let kept = '';
  for (const letter of text) {
    width += displayWidth(letter);
    if (width > columns) break;
    kept += letter;
  }
  return kept;
}

/** The East Asian wide blocks, roughly: Hangul, CJK, full-width forms, emoji. */
function isWide(codePoint: number): boolean {
  return (
    (codePoint >= 0x1100 && codePoint <= 0x115f) ||
    (codePoint >= 0x2e80 && codePoint <= 0xa4cf) ||
    (codePoint >= 0xac00 && codePoint <= 0xd7a3) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0xfe30 && codePoint <= 0xfe6f) ||
    (codePoint >= 0xff00 && codePoint <= 0xff60) ||
    (codePoint >= 0xffe0 && codePoint <= 0xffe6) ||
    (codePoint >= 0x1f300 && codePoint <= 0x1faff) ||
    codePoint >= 0x20000
  );
}
