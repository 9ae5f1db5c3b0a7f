import { describe, expect, it } from 'vitest';
import { displayWidth, LiveBlock, pad, printable } from '../../../src/cli/live-block.js';

/** What a terminal shows after text with line feeds, cursor-up, clear-line and clear-below, which is all that a block writes. */
function shown(written: string): readonly string[] {
  const lines: string[] = [];
  let row = 0;
  // Each escape sequence begins a new part, each line feed is one.
  for (const part of written
    .replaceAll('\x1b', '\0\x1b')
    .replaceAll('\n', '\0\n\0')
    .replaceAll(/([AJK])(?<=\[\d*[AJK])/g, '$1\0')
    .split('\0')) {
    if (part.startsWith('\x1b[') && part.endsWith('A')) row -= Number(part.slice(2, -1));
    else if (part === '\x1b[J') lines.length = row;
    else if (part === '\n') row += 1;
    else if (part !== '' && part !== '\x1b[K') lines[row] = part;
    expect(row).toBeGreaterThanOrEqual(0);
  }
  return lines;
}

function terminal(columns = 40, rows = 10) {
  let written = '';
  const stream = { columns, rows, write: (text: string) => (written += text) };
  return { block: new LiveBlock(stream), screen: () => shown(written) };
}

describe('LiveBlock', () => {
  it('draws over what it drew', () => {
    const { block, screen } = terminal();
    block.draw(['one', 'two']);
    block.draw(['three', 'four']);
    expect(screen()).toEqual(['three', 'four']);
  });

  it('shrinks and goes away without leaving lines', () => {
    const { block, screen } = terminal();
    block.draw(['one', 'two', 'three']);
    block.draw(['four']);
    expect(screen()).toEqual(['four']);
    block.clear();
    expect(screen()).toEqual([]);
  });

  it('keeps printed text above the block', () => {
    const { block, screen } = terminal();
    block.print('before');
    block.draw(['block', 'of two']);
    block.print('printed\n');
    block.draw(['new block']);
    expect(screen()).toEqual(['before', 'printed', 'new block']);
  });

  it('cuts off what does not fit, so that no line wraps', () => {
    const { block, screen } = terminal(6, 3);
    block.draw(['123456789', '龙龙龙', 'no room']);
    expect(screen()).toEqual(['12345', '龙龙']);
  });
});

describe('displayWidth', () => {
  it.each([
    ['BTCUSDT', 7],
    ['龙USDT', 6],
    ['é', 1],
    ['e\u0301', 1],
    ['🚀', 2],
    ['', 0],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('is what pad fills up', () => {
    expect(pad('龙', 4, 'start')).toBe('龙  ');
    expect(pad('1.5', 5, 'end')).toBe('  1.5');
    expect(pad('longer', 2, 'end')).toBe('longer');
  });
});

it('printable removes what steers a terminal', () => {
  expect(printable('\x1b[31mred\x1b[0m\u0007\u202e龙')).not.toMatch(/[\p{C}]/u);
  expect(printable('龙USDT')).toBe('龙USDT');
});
