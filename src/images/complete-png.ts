import { crc32, createInflateRaw, constants, deflateSync } from 'node:zlib';

const SIGNATURE_BYTES = 8;
/** IHDR is the first chunk: width, height, depth, colour type, compression, filter, interlace. */
const HEADER_END = 33;
/** The method and its check, before deflated data, RFC 1950, section 2.2. */
const ZLIB_HEADER = 2;
/** By colour type, PNG 3rd edition, table 12. */
const CHANNELS = [1, 0, 3, 1, 2, 0, 4];
/** Adam7, section 8.1: where each pass starts, and its steps, across and down. */
const PASSES: ReadonlyArray<readonly [left: number, top: number, across: number, down: number]> = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];
const WHOLE: typeof PASSES = [[0, 0, 1, 1]];

/** Rows of more bytes are decoded by libpng as far as it goes, so as not to be held in memory. */
const MOST_BYTES = 128 * 2 ** 20;

/**
 * A PNG whose data is damaged, made whole with zeros: of an interlaced one, which browsers show pass by pass, libpng
 * gives nothing then, of any other all but its last chunk. One of more than `maxPixels`, which is refused, is given back
 * as it is.
 */
export async function completePng(bytes: Buffer, maxPixels: number): Promise<Buffer> {
  if (bytes.length <= HEADER_END) return bytes;
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width * height > maxPixels) return bytes;
  const { before, data } = partsOf(bytes);
  const isInterlaced = bytes[28] === 1;
  const size = sizeOfRows(bytes, isInterlaced ? PASSES : WHOLE);
  if (data.length <= ZLIB_HEADER || (!isInterlaced && size > MOST_BYTES)) return bytes;
  const rows = Buffer.alloc(size);
  await inflateInto(rows, data.subarray(ZLIB_HEADER));
  const deflated = deflateSync(rows, { level: 1 });
  return Buffer.concat([before, ...chunkOf('IDAT', deflated), ...chunkOf('IEND', Buffer.alloc(0))]);
}

/** What comes before the first IDAT, and the content of all of them, whatever their checksums. */
function partsOf(bytes: Buffer): { before: Buffer; data: Buffer } {
  const parts: Buffer[] = [];
  let first = bytes.length;
  for (let at = SIGNATURE_BYTES; at + 8 <= bytes.length;) {
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

/** The size of the filtered rows of all passes, in bytes. */
function sizeOfRows(bytes: Buffer, passes: typeof PASSES): number {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const bits = bytes.readUInt8(24) * (CHANNELS[bytes.readUInt8(25)] ?? 0);
  return passes.reduce((sum, [left, top, across, down]) => {
    const columns = Math.ceil((width - left) / across);
    const rows = Math.ceil((height - top) / down);
    return columns > 0 && rows > 0 ? sum + rows * (1 + Math.ceil((columns * bits) / 8)) : sum;
  }, 0);
}

/** Fills `target` with what `deflated` gives before it ends or turns out to be damaged. */
async function inflateInto(target: Buffer, deflated: Buffer): Promise<void> {
  const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
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
}

function chunkOf(type: string, content: Buffer): Buffer[] {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length, 0);
  head.write(type, 4, 'latin1');
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(content, crc32(head.subarray(4))));
  return [head, content, checksum];
}
