/** Bytes of a WebSocket frame header in front of a payload of this length, sent by a server. */
export function headerLength(payloadLength: number): number {
  return payloadLength < 126 ? 2 : payloadLength < 65_536 ? 4 : 10;
}

/**
 * One whole binary WebSocket frame (RFC 6455, section 5.2, unmasked). Made once and written to every subscriber as it is:
 * a library's `send` would build a header and make a system call for each of them.
 */
export function frameBinary(payload: Uint8Array): Buffer {
  const start = headerLength(payload.length);
  const frame = Buffer.allocUnsafe(start + payload.length);
  frame[0] = 0x82;
  if (start === 2) frame[1] = payload.length;
  else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(payload.length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(payload.length, 6);
  }
  frame.set(payload, start);
  return frame;
}

/** The payload of a frame made by `frameBinary`. */
export function framePayload(frame: Buffer): Uint8Array {
  const marker = frame[1]!;
  return frame.subarray(marker < 126 ? 2 : marker === 126 ? 4 : 10);
}
