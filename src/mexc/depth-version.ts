import { CodedError } from '../support/errors.js';
import { WireReader, WireType } from './wire.js';

const AGGRE_DEPTHS = 313;
const TO_VERSION = 5;
/** Fifteen digits are always exact. */
const VERSION_TEXT = /^\d{1,15}$/;

/** The version that the push of depth in `bytes[start, end)` leads a book to; -1 when it is none, or does not say. For pushes that go no further: nothing else of it is read. */
export function depthVersion(bytes: Uint8Array, start: number, end: number): number {
  const reader = new WireReader(bytes);
  reader.position = start;
  try {
    if (!seek(reader, AGGRE_DEPTHS, end)) return -1;
    const bodyEnd = reader.lengthEnd(end);
    if (!seek(reader, TO_VERSION, bodyEnd)) return -1;
    const text = reader.text(bodyEnd);
    return VERSION_TEXT.test(text) ? Number(text) : -1;
  } catch (error) {
    if (error instanceof CodedError) return -1;
    throw error;
  }
}

/** Moves to the value of a field that has a length; false when the message has none. */
function seek(reader: WireReader, field: number, end: number): boolean {
  while (reader.position < end) {
    reader.tag(end);
    if (reader.field === field && reader.wireType === WireType.BYTES) return true;
    reader.skip(end);
  }
  return false;
}
