/** Begins the framing of snappy-java ("SnappyCodec"), in which Kafka's own clients write. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** The magic, a version and the lowest compatible version. */
const XERIAL_HEADER_BYTES = 16;

/** The raw snappy chunks in `bytes`, framed or not. Throws RangeError when the framing is wrong. */
export function snappyChunks(bytes: Buffer): Buffer[] {
  if (!isFramed(bytes)) return [bytes];
  const chunks: Buffer[] = [];
  let at = XERIAL_HEADER_BYTES;
  while (at < bytes.length) {
    const size = bytes.readUInt32BE(at);
    const chunk = bytes.subarray(at + 4, at + 4 + size);
    // The decoder would unpack a frame within a frame, whose size nothing has announced.
    if (chunk.length < size || isFramed(chunk)) throw new RangeError('wrong snappy framing');
    chunks.push(chunk);
    at += 4 + size;
  }
  return chunks;
}

/** Bytes that a raw chunk expands to: the varint it begins with (snappy "format_description"). */
export function snappyExpandedSize(chunk: Buffer): number {
  let size = 0;
  for (let read = 0; read < 5; read += 1) {
    const byte = chunk.readUInt8(read);
    size += (byte & 0x7f) * 2 ** (7 * read);
    if (byte < 0x80) return size;
  }
  throw new RangeError('wrong snappy length');
}

function isFramed(bytes: Buffer): boolean {
  return bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC);
}
