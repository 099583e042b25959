import { crc32 } from 'node:zlib';

/** PNG (third edition), section 5.2. */
export const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

export interface Chunk {
  type: string;
  /** Where its length is written. */
  start: number;
  /** Where the chunk behind it begins. */
  end: number;
  data: Buffer;
}

/** The chunks that are whole, in their order: those of a broken file as far as they can be followed. */
export function* readChunks(png: Buffer): Generator<Chunk> {
  for (let start = PNG_SIGNATURE.length; start + 12 <= png.length;) {
    const end = start + 12 + png.readUInt32BE(start);
    if (end > png.length) return;
    const type = png.toString('latin1', start + 4, start + 8);
    yield { type, start, end, data: png.subarray(start + 8, end - 4) };
    start = end;
  }
}

/** Browsers leave out an ancillary chunk whose checksum is wrong. */
export function isIntact(png: Buffer, { start, end }: Chunk): boolean {
  return crc32(png.subarray(start + 4, end - 4)) === png.readUInt32BE(end - 4);
}

export function chunkOf(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 4, 'latin1');
  const whole = Buffer.concat([head, ...parts, Buffer.alloc(4)]);
  whole.writeUInt32BE(whole.length - 12);
  whole.writeUInt32BE(crc32(whole.subarray(4, -4)), whole.length - 4);
  return whole;
}
