import { createInflateRaw, constants, deflateSync } from 'node:zlib';

import { chunkOf, PNG_SIGNATURE } from './as-browsers/png-chunks.ts';
import {
  ADAM7,
  deinterlace,
  extentOf,
  NOT_INTERLACED,
  type Pass,
  type PngSize,
} from './png-passes.ts';

/** IHDR is the first chunk: width, height, depth, colour type, compression, filter, interlace. */
const HEADER_END = 33;
/** The method and its check, before deflated data, RFC 1950, section 2.2. */
const ZLIB_HEADER = 2;
/** By colour type, PNG 3rd edition, table 12: channels, and the bits that each may have. */
const COLOUR_TYPES = new Map([
  [0, { channels: 1, depths: [1, 2, 4, 8, 16] }],
  [2, { channels: 3, depths: [8, 16] }],
  [3, { channels: 1, depths: [1, 2, 4, 8] }],
  [4, { channels: 2, depths: [8, 16] }],
  [6, { channels: 4, depths: [8, 16] }],
]);
/** Where IHDR says whether the picture is interlaced. */
const INTERLACE_AT = 28;
/** More bytes of rows are not held in memory twice. */
const MOST_BYTES = 128 * 2 ** 20;

/**
 * A PNG whose data is damaged, made whole: of an interlaced one, which browsers show pass by pass, libpng gives nothing
 * then, of any other all but its last chunk. Rows that are missing are zeros. What is too large is given back as it is:
 * beyond `maxPixels` it is refused, below that libpng goes as far as it can.
 */
export async function completePng(bytes: Buffer, maxPixels: number): Promise<Buffer> {
  if (bytes.length <= HEADER_END) return bytes;
  const size = sizeOf(bytes);
  if (size === null || size.width * size.height > maxPixels) return bytes;
  const { before, data } = partsOf(bytes);
  const isInterlaced = bytes[INTERLACE_AT] === 1;
  const length = lengthOf(size, isInterlaced ? ADAM7 : NOT_INTERLACED);
  if (data.length <= ZLIB_HEADER || (length > MOST_BYTES && !isInterlaced)) return bytes;
  const rows = Buffer.alloc(length);
  const available = await inflateInto(rows, data.subarray(ZLIB_HEADER));
  // Pixels of less than a byte are left where they are, between zeros.
  if (!isInterlaced || length > MOST_BYTES || size.bits < 8) return rebuilt(before, rows);
  return rebuilt(notInterlaced(before), deinterlace(rows, available, size));
}

function rebuilt(before: Buffer, rows: Buffer): Buffer {
  const deflated = deflateSync(rows, { level: 1 });
  return Buffer.concat([before, chunkOf('IDAT', deflated), chunkOf('IEND')]);
}

/** Null where there is no such picture. */
function sizeOf(bytes: Buffer): PngSize | null {
  const depth = bytes.readUInt8(24);
  const type = COLOUR_TYPES.get(bytes.readUInt8(25));
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  return type?.depths.includes(depth) && width > 0 && height > 0
    ? { width, height, bits: type.channels * depth }
    : null;
}

/** The length of the filtered rows of all passes, in bytes. */
function lengthOf(size: PngSize, passes: readonly Pass[]): number {
  return passes.reduce((sum, one) => {
    const { columns, rows } = extentOf(one, size);
    return sum + rows * (1 + Math.ceil((columns * size.bits) / 8));
  }, 0);
}

/** The chunks with a header that says so. */
function notInterlaced(before: Buffer): Buffer {
  const header = Buffer.from(before.subarray(PNG_SIGNATURE.length + 8, HEADER_END - 4));
  header.writeUInt8(0, header.length - 1);
  return Buffer.concat([PNG_SIGNATURE, chunkOf('IHDR', header), before.subarray(HEADER_END)]);
}

/** What comes before the first IDAT, and the content of all of them, whatever their checksums. */
function partsOf(bytes: Buffer): { before: Buffer; data: Buffer } {
  const parts: Buffer[] = [];
  let first = bytes.length;
  for (let at = PNG_SIGNATURE.length; at + 8 <= bytes.length;) {
    const content = at + 8;
    const end = content + bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, content) === 'IDAT') {
      first = Math.min(first, at);
      parts.push(bytes.subarray(content, end));
    }
    at = end + 4;
  }
  return { before: bytes.subarray(0, first), data: Buffer.concat(parts) };
}

/** Fills `target` with what `deflated` gives before it ends or turns out to be damaged, and says how much that is. */
async function inflateInto(target: Buffer, deflated: Buffer): Promise<number> {
  // What a chunk holds that ends in an error is lost.
  const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH, chunkSize: 4_096 });
  let length = 0;
  inflate.on('data', (part: Buffer) => {
    length += part.copy(target, length);
    if (length === target.length) inflate.destroy();
  });
  inflate.on('error', () => undefined);
  const closed = Promise.withResolvers<undefined>();
  inflate.on('close', () => {
    closed.resolve(undefined);
  });
  inflate.end(deflated);
  await closed.promise;
  return length;
}
