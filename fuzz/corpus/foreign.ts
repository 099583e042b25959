import { gzipSync } from 'node:zlib';
import { entriesOf, type Entry } from './entry.ts';

const file = (start: string, length = 400): Buffer => {
  const bytes = Buffer.alloc(Math.max(length, start.length));
  bytes.write(start, 'latin1');
  return bytes;
};

const ENTITIES = Array.from(
  { length: 9 },
  (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`,
);

/** What is not decoded, although others would; nothing, and noise. */
export function foreignEntries(): Entry[] {
  const svg = (body: string, dtd = ''): Buffer =>
    Buffer.from(`<?xml version="1.0"?>${dtd}<svg xmlns="http://www.w3.org/2000/svg">${body}</svg>`);
  return entriesOf(null, {
    empty: Buffer.alloc(0),
    'one byte': Buffer.from([0xff]),
    'three bytes of a jpeg, less one': Buffer.from([0xff, 0xd8]),
    'seven bytes of a png': Buffer.from('\x89PNG\r\n\x1a', 'latin1'),
    zeros: Buffer.alloc(10_000),
    'bytes of 0xff': Buffer.alloc(10_000, 0xff),
    text: Buffer.from('not an image\n'.repeat(99)),
    svg: svg('<rect width="9" height="9"/>'),
    'svg of a billion entities': svg(
      '&e9;',
      `<!DOCTYPE svg [<!ENTITY e0 "e">${ENTITIES.join('')}]>`,
    ),
    'svg that reads a file': svg('<image href="file:///etc/passwd"/>'),
    'svg, compressed': gzipSync(svg('<rect/>')),
    pdf: file('%PDF-1.7\n'),
    eps: file('%!PS-Adobe-3.0 EPSF-3.0\n'),
    heic: file('\0\0\0\x18ftypheic\0\0\0\0mif1heic'),
    'heif of any brand': file('\0\0\0\x18ftypmif1\0\0\0\0miafheix'),
    'heic sequence': file('\0\0\0\x18ftyphevc\0\0\0\0msf1hevx'),
    'avif sequence': file('\0\0\0\x1cftypavis\0\0\0\0avifmsf1miaf'),
    'quicktime movie': file('\0\0\0\x14ftypqt  \0\0\0\0qt  '),
    'brands beyond the end': Buffer.from('\xff\xff\xff\xffftypmif1', 'latin1'),
    'mp4 whose brand is none of ours': file('\0\0\0\x18ftypisom\0\0\0\0isommp42'),
    'file-type box of no length': file('\0\0\0\0ftypheic'),
    bmp: file('BM\x90\x01\0\0'),
    ico: file('\0\0\x01\0\x01\0'),
    cur: file('\0\0\x02\0\x01\0'),
    matroska: file('\x1a\x45\xdf\xa3'),
    zip: file('PK\x03\x04'),
    html: file('<!DOCTYPE html><html>'),
    'comment that never becomes an svg': Buffer.from('<!--'.repeat(50_000)),
    psd: file('8BPS\0\x01\0\0\0\0\0\0'),
    jxl: file('\xff\x0a'),
    'jxl in boxes': file('\0\0\0\x0cJXL \r\n\x87\n'),
    jp2: file('\0\0\0\x0cjP  \r\n\x87\n'),
    'jpeg 2000 codestream': file('\xff\x4f\xff\x51'),
    exr: file('v/1\x01\x02\0\0\0'),
    hdr: file('#?RADIANCE\n'),
    ppm: file('P6 10 10 255\n'),
    pfm: file('PF 10 10 -1\n'),
    fits: file('SIMPLE  =                    T'),
    matlab: file('MATLAB 5.0 MAT-file'),
    analyze: file('\0\0\x01\x5c'),
    'vips, raw': file('\xb6\xa6\xf2\x08'),
    'wave in RIFF': file('RIFF\x88\x01\0\0WAVEfmt '),
    'ImageMagick script': file(
      '<?xml version="1.0"?><image><read filename="/etc/passwd"/></image>',
    ),
  });
}
