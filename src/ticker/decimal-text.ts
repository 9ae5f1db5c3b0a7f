/** A decimal text as whole units of 10^-decimals. */
interface Units {
  readonly units: bigint;
  readonly decimals: number;
}

/** With at least so many decimals: `84270.5, 2` → `84270.50`. */
export function padDecimal(text: string, decimals: number): string {
  const dot = text.indexOf('.');
  const present = dot < 0 ? 0 : text.length - dot - 1;
  if (present >= decimals) return text;
  return `${text}${dot < 0 ? '.' : ''}${'0'.repeat(decimals - present)}`;
}

export function isZero(text: string): boolean {
  return read(text).units === 0n;
}

/** `a - b`, exact. */
export function difference(a: string, b: string): string {
  const [left, right, decimals] = aligned(a, b);
  return format(left - right, decimals);
}

/** `100 * (last - open) / open` rounded to so many decimals, halves away from zero; `null` when `open` is 0. */
export function changePercent(last: string, open: string, decimals: number): string | null {
  const [newer, older] = aligned(last, open);
  return older === 0n ? null : format(roundedQuotient(100n * (newer - older) * 10n ** BigInt(decimals), older), decimals);
}

/** `a / b` rounded to so many decimals, halves away from zero; `null` when `b` is 0. */
export function quotient(a: string, b: string, decimals: number): string | null {
  const [left, right] = aligned(a, b);
  return right === 0n ? null : format(roundedQuotient(left * 10n ** BigInt(decimals), right), decimals);
}

/** A fraction as percent: `0.0067` → `0.67`. */
export function timesHundred(text: string): string {
  const { units, decimals } = read(text);
  return decimals >= 2 ? format(units, decimals - 2) : format(units * 10n ** BigInt(2 - decimals), 0);
}

function aligned(a: string, b: string): readonly [bigint, bigint, decimals: number] {
  const left = read(a);
  const right = read(b);
  const decimals = Math.max(left.decimals, right.decimals);
  return [left.units * 10n ** BigInt(decimals - left.decimals), right.units * 10n ** BigInt(decimals - right.decimals), decimals];
}

function read(text: string): Units {
  const dot = text.indexOf('.');
  if (dot < 0) return { units: BigInt(text), decimals: 0 };
  return { units: BigInt(text.slice(0, dot) + text.slice(dot + 1)), decimals: text.length - dot - 1 };
}

function format(units: bigint, decimals: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  const sign = units < 0n ? '-' : '';
  return decimals === 0 ? sign + digits : `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** `denominator` > 0. */
function roundedQuotient(numerator: bigint, denominator: bigint): bigint {
  const magnitude = numerator < 0n ? -numerator : numerator;
  const rounded = (2n * magnitude + denominator) / (2n * denominator);
  return numerator < 0n ? -rounded : rounded;
}
