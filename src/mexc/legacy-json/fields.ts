import { CodedError, ErrorCode } from '../../support/errors.js';
import type { LegacyLevel } from './events.js';

export type Fields = Readonly<Record<string, unknown>>;

/** Neither sign nor exponent; what is too long is refused where it becomes a number. */
const DECIMAL = /^\d{1,30}(?:\.\d{1,30})?$/;
const SIGNED_DECIMAL = /^-?\d{1,30}(?:\.\d{1,30})?$/;
const SHOWN_LENGTH_MAX = 60;

/** LEGACY_INVALID_FORMAT: `what` names the field, and what it holds is shown. */
export function invalid(what: string, value?: unknown): CodedError {
  const shown = value === undefined ? 'missing' : JSON.stringify(value).slice(0, SHOWN_LENGTH_MAX);
  return new CodedError(ErrorCode.LEGACY_INVALID_FORMAT, `text frame: ${what} is ${shown}`, { what });
}

export function object(what: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(what, value);
  return value as Fields;
}

export function text(what: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid(what, value);
  return value;
}

export function list(what: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(what, value);
  return value;
}

/** Decimal text, or a JSON number that has such a form. */
export function decimal(what: string, value: unknown): string {
  const found = typeof value === 'number' ? plain(value) : value;
  if (typeof found !== 'string' || !DECIMAL.test(found)) throw invalid(what, value);
  return found;
}

/** The same, with or without a minus sign; `null` where the field is missing. */
export function optionalDecimal(what: string, value: unknown, signed = false): string | null {
  if (value === undefined || value === null) return null;
  if (!signed) return decimal(what, value);
  const found = typeof value === 'number' ? plain(value) : value;
  if (typeof found !== 'string' || !SIGNED_DECIMAL.test(found)) throw invalid(what, value);
  return found;
}

/** The shortest text of a number, without an exponent where it is a small one. */
function plain(value: number): string {
  const [mantissa, exponent] = String(value).split('e-');
  if (exponent === undefined) return mantissa!;
  const digits = mantissa!.replace(/[-.]/g, '');
  return `${value < 0 ? '-' : ''}0.${'0'.repeat(Number(exponent) - 1)}${digits}`;
}

/** A whole number up to 2^53, as a JSON number or as text. */
export function wholeNumber(what: string, value: unknown): number {
  const found = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0) throw invalid(what, value);
  return found;
}

export function optionalTime(what: string, value: unknown): number | null {
  return value === undefined || value === null ? null : wholeNumber(what, value);
}

/** Levels as `[price, quantity]` or as objects `{p, v}`; a side that is missing is empty. */
export function levels(what: string, value: unknown): readonly LegacyLevel[] {
  if (value === undefined || value === null) return [];
  return list(what, value).map((level, index): LegacyLevel => {
    const name = `${what}[${index}]`;
    if (Array.isArray(level)) {
      if (level.length < 2) throw invalid(name, level);
      return [decimal(`${name} price`, level[0]), decimal(`${name} quantity`, level[1])];
    }
    const { p, v } = object(name, level);
    return [decimal(`${name} price`, p), decimal(`${name} quantity`, v)];
  });
}
