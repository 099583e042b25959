/** Zeros that stand in for what is missing of a chunk, in bytes. */
const MAX_FILLED = 32 * 2 ** 20;
/** A chunk of which less is there holds nothing to be decoded: the header of a frame, and of the picture in it. */
const LEAST_CONTENT = 40;
const RIFF_HEADER = 12;
const CHUNK_HEADER = 8;

/**
 * A WebP that ends too early, made whole: libwebp refuses a file whose chunks are not all there, of which browsers
 * show the rows that are. Zeros, which decode to some picture, fill the chunk that is cut, what comes behind it is
 * left out, and the sizes are put right. See the WebP Container Specification, "RIFF File Format".
 */
export function completeWebp(bytes: Buffer): Buffer {
  let at = RIFF_HEADER;
  while (at + CHUNK_HEADER <= bytes.length) {
    const size = bytes.readUInt32LE(at + 4);
    const end = at + CHUNK_HEADER + size + (size % 2);
    if (end > bytes.length) break;
    at = end;
  }
  const content = at + CHUNK_HEADER;
  if (bytes.length < content + LEAST_CONTENT) return sized(Buffer.from(bytes.subarray(0, at)));
  const missing = content + bytes.readUInt32LE(at + 4) - bytes.length;
  const filled = Math.min(Math.max(missing, 0), MAX_FILLED);
  const whole = Buffer.concat([bytes, Buffer.alloc(filled + ((bytes.length + filled) % 2))]);
  whole.writeUInt32LE(bytes.length + filled - content, at + 4);
  return sized(whole);
}

function sized(webp: Buffer): Buffer {
  if (webp.length >= RIFF_HEADER) webp.writeUInt32LE(webp.length - 8, 4);
  return webp;
}
