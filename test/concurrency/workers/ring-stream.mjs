/** What passes through the ring: a pure function of seed and index, so that both ends know it. */
export const PAYLOAD_MAX = 128;
export const PAUSE_EVERY = 5_000;

function mix(seed, index) {
  let x = (seed ^ Math.imul(index + 1, 0x9e3779b1)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Mostly small, some up to PAYLOAD_MAX. */
export function lengthOf(seed, index) {
  const random = mix(seed, index);
  return random % 8 === 0 ? (random >>> 8) % (PAYLOAD_MAX + 1) : (random >>> 8) % 25;
}

export function fillPayload(target, length, seed, index) {
  let value = mix(seed + 1, index);
  for (let i = 0; i < length; i++) {
    value = (Math.imul(value, 1664525) + 1013904223) >>> 0;
    target[i] = value >>> 24;
  }
}

export function checksum(bytes, start, end) {
  let sum = 1;
  for (let i = start; i < end; i++) sum = (Math.imul(sum, 31) + bytes[i]) | 0;
  return sum;
}
