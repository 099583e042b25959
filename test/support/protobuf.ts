/** Reads protobuf's wire format without its schemas: https://protobuf.dev/programming-guides/encoding/ */

/** The length-delimited fields of `message` with this number, in order. */
export function fields(message: Buffer, number: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message.readUInt8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType === 0) varint();
    else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 2) {
      const length = varint();
      if (tag >>> 3 === number) found.push(message.subarray(at, at + length));
      at += length;
    } else throw new Error(`wire type ${wireType} at byte ${at}`);
  }
  return found;
}

export function text(bytes: Buffer): string {
  return bytes.toString('utf8');
}
