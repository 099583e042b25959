const MAGIC = 0x184d2204;
const BLOCK_CHECKSUM_BIT = 0x10;
const CONTENT_SIZE_BIT = 0x08;
const DICTIONARY_BIT = 0x01;
const UNCOMPRESSED_BIT = 0x80000000;
/** One byte of a block adds at most 255 bytes to what comes out. */
const MAX_RATIO = 255;

/**
 * Bytes that an LZ4 frame (lz4 "Frame Format Description" 1.6.3) expands to, found without expanding it: an upper
 * bound where that is at most `limit`, otherwise exact for a sound frame. The decoder in use takes no limit.
 * Throws RangeError when the bytes are no frame.
 */
export function lz4ExpandedSize(frame: Buffer, limit: number): number {
  const bound = sumOfBlocks(frame, (_at, size) => size * MAX_RATIO);
  return bound <= limit ? bound : sumOfBlocks(frame, (at, size) => blockSize(frame, at, size));
}

/** Adds up the blocks, the compressed ones by `measure`; a decoder ends a block at the frame's own maximum. */
function sumOfBlocks(frame: Buffer, measure: (at: number, size: number) => number): number {
  if (frame.readUInt32LE(0) !== MAGIC) throw new RangeError('not an LZ4 frame');
  const flags = frame.readUInt8(4);
  const blockMax = 2 ** (8 + 2 * ((frame.readUInt8(5) >>> 4) & 0x07));
  const hasContentSize = (flags & CONTENT_SIZE_BIT) !== 0;
  const announced = hasContentSize ? Number(frame.readBigUInt64LE(6)) : 0;
  let at = 4 + 2 + (hasContentSize ? 8 : 0) + (flags & DICTIONARY_BIT ? 4 : 0) + 1;
  let total = 0;
  while (at + 4 <= frame.length) {
    const word = frame.readUInt32LE(at);
    if (word === 0) break;
    const isCompressed = word < UNCOMPRESSED_BIT;
    const size = isCompressed ? word : word - UNCOMPRESSED_BIT;
    at += 4;
    if (size > frame.length - at) break; // the decoder will refuse it
    total += Math.min(blockMax, isCompressed ? measure(at, size) : size);
    at += size + (flags & BLOCK_CHECKSUM_BIT ? 4 : 0);
  }
  // The decoder may make room for what the frame announces.
  return Math.max(total, announced);
}

/** Bytes that one block expands to: its literals and its matches (lz4 "Block Format Description"). */
function blockSize(block: Buffer, start: number, size: number): number {
  const end = start + size;
  let at = start;
  let total = 0;
  const length = (nibble: number): number => {
    let sum = nibble;
    if (nibble !== 15) return sum;
    let byte = 255;
    while (byte === 255 && at < end) {
      byte = block[at++] as number;
      sum += byte;
    }
    return sum;
  };
  while (at < end) {
    const token = block[at++] as number;
    const literals = length(token >>> 4);
    total += literals;
    at += literals;
    if (at >= end) break; // the last sequence has no match
    at += 2;
    total += length(token & 0x0f) + 4;
  }
  return total;
}
