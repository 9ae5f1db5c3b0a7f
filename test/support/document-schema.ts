import { Compile, Errors } from 'typebox/schema';

type Json = Readonly<Record<string, unknown>>;

/** A document whose schemas are in `components.schemas`: OpenAPI or AsyncAPI. */
export interface SchemaDocument {
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

/** Tells what a value breaks of a schema; empty = nothing. */
export type Checker = (value: unknown) => readonly string[];

/**
 * Checks values against a schema of a document. Stricter than the document: a field it does not name is an offence too, so that nothing is
 * sent that is not described.
 */
export function checker(document: SchemaDocument, schema: unknown): Checker {
  const closed = resolve(document, schema) as Json;
  const compiled = Compile(closed);
  return (value) => {
    if (compiled.Check(value)) return [];
    const [, errors] = Errors(closed, value);
    return errors.map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
  };
}

export function offences(document: SchemaDocument, schema: unknown, value: unknown): readonly string[] {
  return checker(document, schema)(value);
}

/** The schema with every reference replaced by what it refers to, and every object closed. */
function resolve(document: SchemaDocument, schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map((item) => resolve(document, item));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref, ...own } = schema as Json;
  if (typeof $ref === 'string') {
    const name = $ref.replace('#/components/schemas/', '');
    const target = document.components.schemas[name];
    if (target === undefined) throw new Error(`the document has no ${$ref}`);
    return resolve(document, target);
  }
  const resolved = Object.fromEntries(Object.entries(own).map(([key, item]) => [key, resolve(document, item)]));
  return 'properties' in resolved ? { additionalProperties: false, ...resolved } : resolved;
}
