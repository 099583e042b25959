/** What can be decoded; everything else is `image_format_unsupported`, whatever its declared type. */
export const IMAGE_FORMATS = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

const ascii = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString('latin1', start, end);

/** The format, from the first bytes of the content; null for anything that is not decoded. */
export function sniffFormat(bytes: Buffer): ImageFormat | null {
  if (ascii(bytes, 0, 3) === '\xff\xd8\xff') return 'jpeg';
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  if (/^GIF8[79]a$/.test(ascii(bytes, 0, 6))) return 'gif';
  // Classic and BigTIFF, little and big endian.
  if (/^(?:II[*+]\0|MM\0[*+])$/.test(ascii(bytes, 0, 4))) return 'tiff';
  return isAvif(bytes) ? 'avif' : null;
}

/**
 * ISO/IEC 14496-12, 4.3: the brands that a file may be read as, the major one first; null for what does not begin with
 * a file-type box.
 */
export function brandsOf(bytes: Buffer): readonly string[] | null {
  if (ascii(bytes, 4, 8) !== 'ftyp') return null;
  const brands = ascii(bytes, 8, Math.min(bytes.readUInt32BE(0), 128)).match(/.{4}/gs) ?? [];
  // A version lies between the major brand and the compatible ones.
  return brands.filter((_, at) => at !== 1);
}

/** Browsers play a sequence (brand `avis`), of which the native decoder gives a still picture at most. */
function isAvif(bytes: Buffer): boolean {
  const brands = brandsOf(bytes) ?? [];
  return brands.includes('avif') && !brands.includes('avis');
}

/**
 * Whether the file ends before its format says that it does. Needed before decoding: the rows that a
 * centre crop is made of may all be there.
 */
export function isCutShort(bytes: Buffer, format: ImageFormat): boolean {
  switch (format) {
    case 'jpeg':
      return isJpegCutShort(bytes);
    case 'png':
      return bytes.lastIndexOf('IEND', undefined, 'latin1') < 8;
    case 'webp':
      return bytes.length < 12 || bytes.readUInt32LE(4) + 8 > bytes.length;
    case 'avif':
      // Its pictures lie where its boxes say, so the decoder comes upon the end; what is behind them is no part of it.
      return false;
    case 'tiff':
      return isTiffCutShort(bytes);
    case 'gif':
      return isGifCutShort(bytes);
  }
}

/** Looks for an end-of-image marker behind the first scan; one before it belongs to an EXIF thumbnail. */
function isJpegCutShort(bytes: Buffer): boolean {
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return false; // Not a marker: corrupt, which the decoder will say.
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === 0xda) return bytes.lastIndexOf('\xff\xd9', undefined, 'latin1') < at;
    if (marker === 0xd9) return false;
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return true;
}

/**
 * GIF89a, sections 15 to 27. A block must be whole; the trailer may be missing, since encoders forget it and
 * viewers do without.
 */
function isGifCutShort(bytes: Buffer): boolean {
  const colours = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  if (bytes.length < 13) return true;
  let at = 13 + colours(bytes.readUInt8(10));
  while (at < bytes.length) {
    const block = bytes[at];
    if (block === 0x21) at += 2;
    else if (block === 0x2c) {
      if (at + 10 > bytes.length) return true;
      at += 11 + colours(bytes.readUInt8(at + 9));
    } else return false; // The trailer, or corrupt, which the decoder will say.
    for (;;) {
      const size = bytes[at];
      if (size === undefined) return true;
      at += 1 + size;
      if (size === 0) break;
    }
  }
  return at > bytes.length;
}

/** Bytes of one value of each field type, TIFF 6.0 section 2. */
const TIFF_TYPES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/** The first directory, mostly written last, and the values it points to must lie inside the file. */
function isTiffCutShort(bytes: Buffer): boolean {
  if (bytes.length < 16) return true;
  const little = ascii(bytes, 0, 1) === 'I';
  const u16 = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const u32 = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  if (u16(2) === 43) {
    return (little ? bytes.readBigUInt64LE(8) : bytes.readBigUInt64BE(8)) >= bytes.length;
  }
  const directory = u32(4);
  if (directory + 2 > bytes.length) return true;
  const end = directory + 2 + u16(directory) * 12;
  if (end > bytes.length) return true;
  for (let entry = directory + 2; entry < end; entry += 12) {
    const size = (TIFF_TYPES[u16(entry + 2)] ?? 0) * u32(entry + 4);
    if (size > 4 && u32(entry + 8) + size > bytes.length) return true;
  }
  return false;
}
