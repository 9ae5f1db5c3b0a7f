import { describe, expect, it } from 'vitest';
import { errorText } from '../../../src/cli/exit.js';
import { CodedError, ErrorCode } from '../../../src/support/errors.js';

function systemError(code: string, fields: object = {}): Error {
  return Object.assign(new Error(`listen ${code}: something 127.0.0.1:80`), { code }, fields);
}

describe('errorText', () => {
  it('names the port that is in use and the way out', () => {
    expect(errorText(systemError('EADDRINUSE', { address: '127.0.0.1', port: 80 }))).toBe(
      'port 127.0.0.1:80 is in use; choose another with --port, or any free one with --port 0',
    );
  });

  it.each([
    ['EACCES', /^no permission: listen EACCES/],
    ['ENOTFOUND', /^no such address on this machine: /],
    ['ECONNREFUSED', /^listen ECONNREFUSED: /],
  ])('explains %s', (code, text) => {
    expect(errorText(systemError(code))).toMatch(text);
  });

  it('puts the code before the text of an operating error', () => {
    expect(errorText(new CodedError(ErrorCode.EXCHANGE_UNREACHABLE, 'nobody answers\n at all'))).toBe(
      'EXCHANGE_UNREACHABLE: nobody answers at all',
    );
  });

  it('keeps the lines of a list of configuration problems', () => {
    expect(errorText(new CodedError(ErrorCode.CONFIG_INVALID, 'two:\n  a\n  b'))).toBe('two:\n  a\n  b');
  });

  it('tells the place of a bug, in one line', () => {
    expect(errorText(new TypeError('x is\nundefined'))).toMatch(/^TypeError: x is undefined \(at .*exit\.test\.ts.*\)$/);
    expect(errorText('thrown text')).toBe('thrown text');
  });
});
