/** Names content that is not decoded, so that a refusal says what was sent. */
import { brandsOf, sniffFormat } from './sniff-format.ts';

export interface ContentName {
  /** With its article, for example `a HEIC`. */
  name: string;
  /** Whether people would call it an image. */
  image: boolean;
}

/** So many bytes tell what a file is; an XML prologue may come before `<svg`. */
export const HEAD_BYTES = 4_096;

const UNKNOWN: ContentName = { name: 'not an image of a known format', image: false };

/** Names of images and of other content, each with the pattern that its first bytes, as latin1, match. */
const IMAGES: ReadonlyArray<[name: string, pattern: RegExp]> = [
  ['a JPEG XL', /^(?:\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n)/],
  ['a JPEG 2000', /^(?:\xff\x4f\xff\x51|\0\0\0\x0cjP {2}\r\n\x87\n)/],
  ['a JPEG XR', /^II\xbc/],
  // Two reserved numbers of 16 bits are zero.
  ['a BMP', /^BM.{4}\0{4}/s],
  // One image at least, whose entry has a reserved byte of zero where that is there.
  ['an ICO', /^\0\0\x01\0(?!\0\0).{2}(?:.{3}\0|.{0,3}$)/s],
  ['a CUR', /^\0\0\x02\0(?!\0\0).{2}(?:.{3}\0|.{0,3}$)/s],
  ['a Photoshop document', /^8BPS\0[\x01\x02]/],
  ['a TIFF', /^(?:II[*+]\0|MM\0[*+])/],
  ['an EPS', /^(?:%!PS|\xc5\xd0\xd3\xc6)/],
  ['an OpenEXR', /^v\/1\x01/],
  ['a Radiance HDR', /^#\?(?:RADIANCE|RGBE)\n/],
  ['a DDS', /^DDS \x7c\0\0\0/],
  ['a QOI', /^qoif/],
  ['an ICNS', /^icns/],
  ['a GIMP image', /^gimp xcf /],
  ['a MNG', /^\x8aMNG\r\n\x1a\n/],
  ['a JNG', /^\x8bJNG\r\n\x1a\n/],
  ['a DjVu', /^AT&TFORM/],
  ['a netpbm image', /^P[1-7Ff]\s+(?:#|\d|WIDTH)/],
  ['a FITS', /^SIMPLE {2}= +T/],
  ['an SVG', /^(?:\xef\xbb\xbf)?\s*<(?:svg[\s/>]|(?:\?xml|!--|!DOCTYPE).*<svg[\s/>])/is],
];
const OTHERS: ReadonlyArray<[name: string, pattern: RegExp]> = [
  ['a PDF', /^%PDF-/],
  ['a WAVE', /^RIFF.{4}WAVE/s],
  ['an AVI video', /^RIFF.{4}AVI /s],
  ['a Matroska or WebM video', /^\x1a\x45\xdf\xa3/],
  ['an MPEG video', /^\0\0\x01[\xb3\xba]/],
  ['a Windows Media video', /^\x30\x26\xb2\x75\x8e\x66\xcf\x11/],
  ['a Flash video', /^FLV\x01/],
  ['an Ogg', /^OggS\0/],
  ['an MP3', /^ID3[\x02-\x04]/],
  ['a ZIP', /^PK(?:\x03\x04|\x05\x06)/],
  ['a gzip', /^\x1f\x8b\x08/],
  ['a 7z', /^7z\xbc\xaf\x27\x1c/],
  ['a RAR', /^Rar!\x1a\x07/],
  ['an HTML page', /^(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)[\s>]/i],
];

/** ISO/IEC 23008-12, annexes B to D: images coded with HEVC, alone or in sequences. */
const HEVC_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs'];
/** In ISO base media files, by brand; what has none of them is an MP4. */
const BRANDS: ReadonlyArray<[name: string, image: boolean, brands: readonly string[]]> = [
  ['an AVIF sequence', true, ['avis']],
  ['a HEIC', true, HEVC_BRANDS],
  ['a JPEG XL', true, ['jxl ']],
  ['a JPEG 2000', true, ['jp2 ', 'jpx ']],
  ['a Canon raw photo', true, ['crx ']],
  ['a HEIF of another coding', true, ['mif1', 'mif2', 'msf1', 'miaf']],
  ['a QuickTime movie', false, ['qt  ']],
  ['an M4A', false, ['M4A ', 'M4B ']],
];

/** What `bytes`, a whole file or its first HEAD_BYTES, are, whether or not they are decoded here. */
export function nameContent(bytes: Buffer): ContentName {
  const format = sniffFormat(bytes);
  if (format !== null) return { name: `a ${format}`, image: true };
  if (bytes.length === 0) return { name: 'an empty file', image: false };
  const brands = brandsOf(bytes);
  if (brands) {
    const known = BRANDS.find(([, , wanted]) => wanted.some((brand) => brands.includes(brand)));
    return known ? { name: known[0], image: known[1] } : { name: 'an MP4 video', image: false };
  }
  const head = bytes.toString('latin1', 0, HEAD_BYTES);
  const matches = ([, pattern]: [string, RegExp]): boolean => pattern.test(head);
  const image = IMAGES.find(matches);
  if (image) return { name: image[0], image: true };
  const other = OTHERS.find(matches);
  if (other) return { name: other[0], image: false };
  return isText(bytes) ? { name: 'text', image: false } : UNKNOWN;
}

/** UTF-8, or ASCII, without control characters; the last character may be cut. */
function isText(bytes: Buffer): boolean {
  const text = bytes.toString('utf8', 0, HEAD_BYTES).replace(/\ufffd$/, '');
  return !/[\0-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]/.test(text);
}
