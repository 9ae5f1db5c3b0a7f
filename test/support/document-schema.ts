import { Compile, Errors } from 'typebox/schema';

type Json = Readonly<Record<string, unknown>>;

/** A document whose schemas are in `components.schemas`: OpenAPI or AsyncAPI. */
export interface SchemaDocument {
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

/**
 * What a value breaks of a schema of a document; empty = nothing. Stricter than the document: a field it does not name is an offence too,
 * so that nothing is sent that is not described.
 */
export function offences(document: SchemaDocument, schema: unknown, value: unknown): readonly string[] {
  const closed = resolve(document, schema, true) as Json;
  if (Compile(closed).Check(value)) return [];
  const [, errors] = Errors(closed, value);
  return errors.map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
}

/** The schema with every reference replaced by what it refers to, and every object closed. */
function resolve(document: SchemaDocument, schema: unknown, close: boolean): unknown {
  if (Array.isArray(schema)) return schema.map((item) => resolve(document, item, close));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref, ...own } = schema as Json;
  if (typeof $ref === 'string') {
    const name = $ref.replace('#/components/schemas/', '');
    const target = document.components.schemas[name];
    if (target === undefined) throw new Error(`the document has no ${$ref}`);
    return resolve(document, target, close);
  }
  const resolved = Object.fromEntries(Object.entries(own).map(([key, item]) => [key, resolve(document, item, close)]));
  return close && 'properties' in resolved ? { additionalProperties: false, ...resolved } : resolved;
}
