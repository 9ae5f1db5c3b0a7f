import { WireType, type WireReader } from './wire.js';

/** How one field of a message is read. */
interface Field<V> {
  readonly number: number;
  readonly wireType: number;
  readonly repeated: boolean;
  read(reader: WireReader, end: number): V;
}

/** Reads one protobuf message of shape `T`, from the reader's position up to `end`. */
export interface MessageType<T> {
  read(reader: WireReader, end: number): T;
}

/** One entry per property of `T`, so that a schema cannot miss a field of its type or read it as another kind. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Field<NonNullable<T[K]> extends readonly (infer Item)[] ? Item : NonNullable<T[K]>>;
};

export function text(number: number): Field<string> {
  return { number, wireType: WireType.BYTES, repeated: false, read: (reader, end) => reader.text(end) };
}

export function int64(number: number): Field<number> {
  return { number, wireType: WireType.VARINT, repeated: false, read: (reader, end) => reader.int64(end) };
}

export function int32(number: number): Field<number> {
  return { number, wireType: WireType.VARINT, repeated: false, read: (reader, end) => reader.int32(end) };
}

export function list<Item>(number: number, type: MessageType<Item>): Field<Item> {
  return {
    number,
    wireType: WireType.BYTES,
    repeated: true,
    read: (reader, end) => type.read(reader, reader.lengthEnd(end)),
  };
}

/**
 * A message from its fields. Unknown fields are passed over, missing ones stay missing, order does not matter, and of a
 * single field sent twice the last one counts.
 */
export function message<T extends object>(fields: Fields<T>): MessageType<T> {
  const entries = Object.entries<Field<unknown>>(fields);
  const byNumber = new Map(entries.map(([name, field]) => [field.number, { name, field }]));
  const lists = entries.filter(([, field]) => field.repeated).map(([name]) => name);
  return {
    read(reader, end) {
      const target: Record<string, unknown> = {};
      for (const name of lists) target[name] = [];
      while (reader.position < end) {
        reader.tag(end);
        const known = byNumber.get(reader.field);
        if (known === undefined) {
          reader.skip(end);
          continue;
        }
        reader.expect(known.field.wireType);
        const value = known.field.read(reader, end);
        if (known.field.repeated) (target[known.name] as unknown[]).push(value);
        else target[known.name] = value;
      }
      // `Fields<T>` holds exactly the properties of T with readers of their types.
      return target as T;
    },
  };
}
