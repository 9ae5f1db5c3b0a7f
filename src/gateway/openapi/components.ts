import type { TSchema } from '@fastify/type-provider-typebox';
import { isDeepStrictEqual } from 'node:util';

type Json = Record<string, unknown>;

/**
 * Prepares schemas for a document: parts that carry an `$id` are moved to `schemas` under that name and referred to, lists of literals
 * become enumerations, and "something or null" one list of types. What a schema accepts stays the same.
 */
export class Components {
  readonly schemas: Record<string, Json> = {};

  /** Throws when two different schemas carry the same `$id`. */
  take(schema: TSchema): Json {
    return this.#convert(schema) as Json;
  }

  #convert(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#convert(item));
    if (typeof value !== 'object' || value === null) return value;
    // Spread takes enumerable properties only: what typebox notes for itself stays behind.
    const { $id: name, ...own } = value as Json;
    const converted = simplify(Object.fromEntries(Object.entries(own).map(([key, item]) => [key, this.#convertKey(key, item)])));
    if (typeof name !== 'string') return converted;
    const existing = this.schemas[name];
    if (existing !== undefined && !isDeepStrictEqual(existing, converted)) throw new Error(`two schemas are called ${name}`);
    this.schemas[name] = converted;
    return { $ref: `#/components/schemas/${name}` };
  }

  /** Examples and constants are data, whatever they look like. */
  #convertKey(key: string, value: unknown): unknown {
    return ['const', 'enum', 'default', 'examples', 'example'].includes(key) ? value : this.#convert(value);
  }
}

function simplify(schema: Json): Json {
  if (Array.isArray(schema['enum']) && schema['type'] === undefined && schema['enum'].every((item) => typeof item === 'string')) {
    return { type: 'string', ...schema };
  }
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf)) return schema;
  const members = anyOf as readonly Json[];
  if (members.every((member) => 'const' in member && Object.keys(member).length === 2)) {
    const types = new Set(members.map(({ type }) => type));
    if (types.size === 1) return { type: [...types][0], enum: members.map((member) => member['const']), ...rest };
  }
  const [some, nothing] = members;
  if (
    members.length === 2 &&
    nothing?.['type'] === 'null' &&
    typeof some?.['type'] === 'string' &&
    !('enum' in some) &&
    !('const' in some)
  ) {
    return { ...some, type: [some['type'], 'null'], ...rest };
  }
  return schema;
}
