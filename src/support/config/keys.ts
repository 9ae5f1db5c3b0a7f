import Type from 'typebox';
import type { TRefineAdd, TSchema, TSchemaOptions } from 'typebox';
import { parseApiKeys, parseOrigins, parseTrustedProxies } from './access.js';
import { type AddressSchemes, exchangeAddressRule, isExchangeAddress } from './exchange-address.js';
import { parseSimulatedSymbols, parseSymbols } from './symbols.js';

/** What each key's schema carries for people: `accepts` completes the sentence "… is not". */
export interface KeyDoc extends TSchemaOptions {
  readonly description: string;
  readonly accepts: string;
  readonly unit?: string;
  /** What was written is repeated nowhere, not even when it does not fit. */
  readonly secret?: boolean;
}

type Doc = Omit<KeyDoc, 'accepts'>;

/** A whole number in a closed range. */
export function wholeNumber(minimum: number, maximum: number, doc: Doc) {
  return Type.Integer({ ...doc, minimum, maximum, accepts: `a whole number ${minimum} to ${maximum}` });
}

/** A number above 0. */
export function positiveNumber(maximum: number, doc: Doc) {
  return Type.Number({ ...doc, exclusiveMinimum: 0, maximum, accepts: `a number above 0, at most ${maximum}` });
}

/** A positive number or one word that stands for a special case. */
export function positiveNumberOr<Word extends string>(word: Word, maximum: number, doc: Doc) {
  const accepts = `a number above 0, at most ${maximum}, or ${word}`;
  return Type.Union([Type.Number({ exclusiveMinimum: 0, maximum }), Type.Literal(word)], { ...doc, accepts });
}

/** A whole number, or `auto` where the program chooses. */
export function wholeNumberOrAuto(minimum: number, maximum: number, doc: Doc) {
  const accepts = `a whole number ${minimum} to ${maximum}, or auto`;
  return Type.Union([Type.Integer({ minimum, maximum }), Type.Literal('auto')], { ...doc, accepts });
}

/** A whole number, or `off` where there is to be none. */
export function wholeNumberOrOff(minimum: number, maximum: number, doc: Doc) {
  const accepts = `a whole number ${minimum} to ${maximum}, or off`;
  return Type.Union([Type.Integer({ minimum, maximum }), Type.Literal('off')], { ...doc, accepts });
}

/** A whole number, `off` for no limit, or `auto` where the program chooses. */
export function limit(minimum: number, maximum: number, doc: Doc) {
  const accepts = `a whole number ${minimum} to ${maximum}, auto, or off`;
  return Type.Union([Type.Integer({ minimum, maximum }), Type.Literal('auto'), Type.Literal('off')], { ...doc, accepts });
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words, doc: Doc) {
  return Type.Unsafe<Words[number]>(Type.Enum([...words], { ...doc, accepts: words.join(' | ') }));
}

export function flag(doc: Doc) {
  return Type.Boolean({ ...doc, accepts: 'true | false' });
}

/** A path to a file, relative to the working directory, or null for none. */
export function optionalFile(doc: Doc) {
  return Type.Union([Type.String({ minLength: 1 }), Type.Null()], { ...doc, accepts: 'a path, or null for none' });
}

/** A name or address to listen on. */
export function hostName(doc: Doc) {
  return Type.String({ ...doc, pattern: '^[^\\s/]+$', accepts: 'a host name or address' });
}

/** Where the exchange is; see `isExchangeAddress`. What does not fit may hold a password, and is not repeated. */
export function exchangeAddress(schemes: AddressSchemes, doc: Doc) {
  const schema = Type.String({ ...doc, accepts: exchangeAddressRule(schemes), secret: true });
  return refined(schema, (value: string) => isExchangeAddress(value, schemes));
}

/** Who may ask, or null for everybody; see `parseApiKeys`. */
export function apiKeys(doc: Doc) {
  const accepts = 'NAME:read:SHA256,NAME:admin:SHA256 with SHA-256 in hex, or null for none';
  const schema = Type.Union([Type.String(), Type.Null()], { ...doc, accepts, secret: true });
  return refined(schema, (value: string | null) => value === null || succeeds(() => parseApiKeys(value)));
}

/** Web pages; see `parseOrigins`. */
export function origins(doc: Doc) {
  return refined(Type.String({ ...doc, accepts: 'any | https://desk.example,http://127.0.0.1:3000' }), (value: string) =>
    succeeds(() => parseOrigins(value)),
  );
}

/** Addresses of proxies; see `parseTrustedProxies`. */
export function trustedProxies(doc: Doc) {
  return refined(Type.String({ ...doc, accepts: 'off | 127.0.0.1,10.0.0.0/8 | loopback' }), (value: string) =>
    succeeds(() => parseTrustedProxies(value)),
  );
}

/** Which pairs to keep books of; see `parseSymbols`. */
export function symbolSelection(doc: Doc) {
  const accepts = 'BTCUSDT,ETHUSDT | all | quote:USDT | top:20';
  return refined(Type.String({ ...doc, accepts }), (value: string) => succeeds(() => parseSymbols(value)));
}

/** Which pairs to make up; see `parseSimulatedSymbols`. */
export function simulatedSymbols(doc: Doc) {
  const accepts = 'a number of pairs, or BTCUSDT,ETHUSDT';
  const schema = Type.Union([Type.Integer(), Type.String()], { ...doc, accepts });
  return refined(schema, (value: string | number) => succeeds(() => parseSimulatedSymbols(value)));
}

function refined<Schema extends TSchema, Value>(schema: Schema, check: (value: Value) => boolean): TRefineAdd<Schema> {
  return Type.Refine(schema, check as (value: unknown) => boolean);
}

/** Whether a parser takes a value; the loader's message says what is accepted, so the parser's own is not needed. */
function succeeds(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
