import { assert } from '../support/assert.js';

/*
 * A ring of records between exactly one producing and one consuming thread.
 *
 *   byte  0            128           256           384                       384 + capacity
 *         +------------+-------------+-------------+--------------------------+
 *         | producer   | consumer    | sleeping    | records ...              |
 *         | position   | position    | flag        |                          |
 *         +------------+-------------+-------------+--------------------------+
 *
 * Each control word has a cache line pair of its own. Positions count bytes, modulo 2^32; `position & (capacity - 1)` is the
 * place in the record area, and `producer - consumer` (as int32) the bytes in use.
 *
 * A record is never split. One that does not fit before the end of the area is preceded by a padding record that fills the rest.
 *
 *   byte  0        4        8        12       16              24     24 + skew            24 + skew + payload, padded to 8
 *         +--------+--------+--------+--------+---------------+------+--------------------+
 *         | length | type   | key    | aux    | time (float64)| skew | payload bytes ...  |
 *         +--------+--------+--------+--------+---------------+------+--------------------+
 *
 * `length` is 24 + skew + payload bytes, unpadded. `type` holds the record's type in its lower half and the skew, 0 to 7 unused bytes, in its
 * upper one. With it the payload lies on the same byte of a word as where it came from, and V8 copies into shared memory by whole words; it
 * does so byte by byte otherwise. Padding records have only `length` and `type`.
 */

export const PRODUCER_POSITION_BYTE = 0;
export const CONSUMER_POSITION_BYTE = 128;
export const SLEEPING_BYTE = 256;
export const RECORDS_BYTE = 384;

export const RECORD_ALIGNMENT = 8;
export const RECORD_HEADER_BYTES = 24;
export const LENGTH_OFFSET = 0;
export const TYPE_OFFSET = 4;
export const KEY_OFFSET = 8;
export const AUX_OFFSET = 12;
export const TIME_OFFSET = 16;
export const PAYLOAD_OFFSET = 24;
export const SKEW_MAX = 7;
export const SKEW_SHIFT = 16;
export const TYPE_MASK = (1 << SKEW_SHIFT) - 1;

/** Type of the filler before the end of the record area; never handed to a reader. */
export const PADDING_TYPE = 0;

assert(RECORDS_BYTE % RECORD_ALIGNMENT === 0, 'records are aligned');
assert(PAYLOAD_OFFSET === RECORD_HEADER_BYTES, 'the payload follows the header');

/** Memory for a ring with `capacityBytes` of records: a power of two from 1 KiB to 1 GiB. */
export function createRingBuffer(capacityBytes: number): SharedArrayBuffer {
  assert(
    capacityBytes >= 1024 && capacityBytes <= 2 ** 30 && (capacityBytes & (capacityBytes - 1)) === 0,
    `ring capacity is a power of two from 1 KiB to 1 GiB, got ${capacityBytes}`,
  );
  return new SharedArrayBuffer(RECORDS_BYTE + capacityBytes);
}
