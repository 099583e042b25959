import { partsOf } from '../parts.ts';
import { entriesOf, type Entry } from './entry.ts';
import type { Pictures } from './pictures.ts';

/** ISO/IEC 14496-12: size, type, content. */
function box(type: string, ...content: Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  const body = Buffer.concat(content);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

const FTYP = box('ftyp', Buffer.from('avif\0\0\0\0avifmif1miaf', 'latin1'));

/** The picture with numbers of one of its boxes changed: offset in the content to value. */
function edited(avif: Buffer, type: string, numbers: Record<number, number>): Buffer {
  const copy = Buffer.from(avif);
  for (const { start, content } of partsOf(avif)) {
    if (avif.toString('latin1', start + 4, start + 8) !== type) continue;
    for (const [at, value] of Object.entries(numbers)) {
      copy.writeUInt32BE(value, content + Number(at));
    }
  }
  return copy;
}

/** Width and height lie behind version and flags of `ispe`; ISO/IEC 23008-12, section 6.5.3. */
const sized = (avif: Buffer, width: number, height: number): Buffer =>
  edited(avif, 'ispe', { 4: width, 8: height });

function nested(depth: number): Buffer {
  let inner: Buffer = Buffer.alloc(0);
  for (let level = 0; level < depth; level += 1) inner = box('ipco', inner);
  return Buffer.concat([FTYP, box('meta', Buffer.alloc(4), box('iprp', inner))]);
}

export function avifEntries({ avif }: Pictures): Entry[] {
  const long = Buffer.alloc(100_000, 'mif1avif');
  const size = (bytes: number): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(bytes);
    head.write('meta', 4);
    return Buffer.concat([FTYP, head, Buffer.alloc(100)]);
  };
  return entriesOf('avif', {
    'avif of 65,535 x 65,535': sized(avif, 65_535, 65_535),
    'avif of 10,000 x 10,000': sized(avif, 10_000, 10_000),
    'avif of 2^32-1 x 2^32-1': sized(avif, 0xffffffff, 0xffffffff),
    'avif of 0 x 0': sized(avif, 0, 0),
    'avif of 1 x 65,535': sized(avif, 1, 65_535),
    'avif of 65,535 x 1': sized(avif, 65_535, 1),
    'avif of a type and nothing else': FTYP,
    'avif of 50,000 brands': Buffer.concat([box('ftyp', Buffer.from('avif\0\0\0\0'), long), avif]),
    'avif with boxes in boxes, 2,000 deep': nested(2_000),
    'avif whose box is of no length': size(0),
    'avif whose box is of 7 bytes': size(7),
    'avif whose box is of 2^32-1 bytes': size(0xffffffff),
    'avif whose image is somewhere else': edited(avif, 'iloc', { 12: 0xffffffff }),
    'avif whose items are 2^32-1': edited(avif, 'iinf', { 0: 0x01ffffff, 4: 0xffffffff }),
    'avif with a second meta box': Buffer.concat([avif, box('meta', Buffer.alloc(4))]),
  });
}
