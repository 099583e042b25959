/** Reads protobuf's wire format without its schemas: https://protobuf.dev/programming-guides/encoding/ */

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** The length-delimited fields of `message` with this number, in order. */
export function fields(message: Buffer, number: number): Buffer[] {
  return values(message)
    .filter((value) => value.number === number && value.wireType === LENGTH_DELIMITED)
    .map(({ bytes }) => bytes);
}

/** The one unsigned fixed64 field with this number. */
export function fixed64(message: Buffer, number: number): bigint {
  const found = values(message).filter(
    (value) => value.number === number && value.wireType === FIXED_64,
  );
  if (!found[0] || found.length > 1) throw new Error(`${found.length} fixed64 fields ${number}`);
  return found[0].bytes.readBigUInt64LE();
}

export function text(bytes: Buffer): string {
  return bytes.toString('utf8');
}

interface Value {
  number: number;
  wireType: number;
  bytes: Buffer;
}

function values(message: Buffer): Value[] {
  const found: Value[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message.readUInt8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const lengthOf = (wireType: number): number => {
    if (wireType === FIXED_64) return 8;
    if (wireType === FIXED_32) return 4;
    if (wireType === LENGTH_DELIMITED) return varint();
    throw new Error(`wire type ${wireType} at byte ${at}`);
  };
  while (at < message.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType === VARINT) {
      varint();
      continue;
    }
    const length = lengthOf(wireType);
    found.push({ number: tag >>> 3, wireType, bytes: message.subarray(at, at + length) });
    at += length;
  }
  return found;
}
