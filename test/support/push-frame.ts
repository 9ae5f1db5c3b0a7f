/** Just enough protobuf to write a push by hand, in any order of fields. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

export function varintField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

export interface PushFrame {
  readonly channel: string;
  readonly symbol?: string;
  readonly sendTime?: number;
  readonly fromVersion?: number;
  readonly toVersion?: number;
}

/** A depth push with one bid; enough for whoever looks at symbols and versions only. */
export function pushFrame(frame: PushFrame): Buffer {
  const level = Buffer.concat([bytesField(1, '1.5'), bytesField(2, '2')]);
  const body = [
    bytesField(2, level),
    bytesField(4, String(frame.fromVersion ?? 1)),
    bytesField(5, String(frame.toVersion ?? frame.fromVersion ?? 1)),
  ];
  return Buffer.concat([
    bytesField(1, frame.channel),
    ...(frame.symbol === undefined ? [] : [bytesField(3, frame.symbol)]),
    ...(frame.sendTime === undefined ? [] : [varintField(6, frame.sendTime)]),
    bytesField(313, Buffer.concat(body)),
  ]);
}

/** The `toVersion` of a frame made by `pushFrame`: its last field. */
export function pushVersion(bytes: Uint8Array): number {
  const digits = /\*.(\d+)$/s.exec(Buffer.from(bytes).toString('latin1'));
  return Number(digits?.[1]);
}
