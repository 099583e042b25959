/** Zeros that stand in for what is missing of a chunk, in bytes. */
const MAX_FILLED = 32 * 2 ** 20;
/** A chunk of which less is there holds nothing to be decoded: the header of a frame, and of the picture in it. */
const LEAST_CONTENT = 40;
const RIFF_HEADER = 12;
const CHUNK_HEADER = 8;

/**
 * A damaged WebP, such that libwebp gives all of it that it can: it refuses a file whose chunks are not all there, and a
 * lossy picture whose damage makes it read beyond its chunk's end, of which Chromium shows the rows before. Zeros, which
 * decode to some picture, are what it reads there; chunks behind a cut are left out, and the sizes are put right. See
 * RFC 9649, section 2.3.
 */
export function completeWebp(bytes: Buffer): Buffer {
  let at = RIFF_HEADER;
  while (at + CHUNK_HEADER <= bytes.length) {
    const size = bytes.readUInt32LE(at + 4);
    const end = at + CHUNK_HEADER + size + (size % 2);
    if (end > bytes.length) break;
    // As many again: damaged data is not read faster than that by much.
    if (bytes.toString('latin1', at, at + 4) === 'VP8 ') return filled(bytes, at, end, size);
    at = end;
  }
  const content = at + CHUNK_HEADER;
  if (bytes.length < content + LEAST_CONTENT) return sized(Buffer.from(bytes.subarray(0, at)));
  return filled(bytes, at, bytes.length, content + bytes.readUInt32LE(at + 4) - bytes.length);
}

/** With zeros at the end of the chunk that begins at `start`. */
function filled(bytes: Buffer, start: number, end: number, zeros: number): Buffer {
  const fill = Math.min(Math.max(zeros, 0), MAX_FILLED);
  const size = end + fill - start - CHUNK_HEADER;
  const filling = Buffer.alloc(fill + (size % 2));
  const whole = Buffer.concat([bytes.subarray(0, end), filling, bytes.subarray(end)]);
  whole.writeUInt32LE(size, start + 4);
  return sized(whole);
}

function sized(webp: Buffer): Buffer {
  if (webp.length >= RIFF_HEADER) webp.writeUInt32LE(webp.length - 8, 4);
  return webp;
}
