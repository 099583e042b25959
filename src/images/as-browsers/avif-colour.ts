import type { AvifBoxes, Box } from './avif-boxes.ts';
import { profileOfCodes } from './code-points.ts';

const MOST_PROPERTIES = { 1: 0x7f, 2: 0x7fff } as const;

/** The same AVIF with a profile beside the code points by which browsers show it, which libheif does not convert by. */
export function withProfile(avif: Buffer, boxes: AvifBoxes): Buffer {
  const profile = wantedProfile(avif, boxes);
  const own = boxes.associations.get(boxes.primary);
  const [first] = own ?? [];
  const bytes = boxes.associationBytes as 1 | 2;
  const property = boxes.properties.length + 1;
  if (profile === null || first === undefined || property > MOST_PROPERTIES[bytes]) return avif;
  if ((own?.length ?? 0) >= 255) return avif;
  const box = Buffer.concat([Buffer.alloc(8), Buffer.from('prof'), profile]);
  box.writeUInt32BE(box.length);
  box.write('colr', 4, 'latin1');
  const association = Buffer.alloc(bytes);
  association.writeUIntBE(property, 0, bytes);

  const copy = Buffer.from(avif);
  const grown = box.length + bytes;
  grow(copy, boxes.ipco, box.length);
  grow(copy, boxes.ipma, bytes);
  grow(copy, boxes.iprp, grown);
  grow(copy, boxes.meta, grown);
  moveItems(copy, boxes.iloc, boxes.meta.end, grown);
  copy.writeUInt8(copy.readUInt8(first.at - 1) + 1, first.at - 1);
  const inserts = [
    { at: boxes.ipco.end, data: box },
    { at: first.at, data: association },
  ].toSorted((a, b) => a.at - b.at);
  const [early, late] = inserts as [(typeof inserts)[0], (typeof inserts)[0]];
  return Buffer.concat([
    copy.subarray(0, early.at),
    early.data,
    copy.subarray(early.at, late.at),
    late.data,
    copy.subarray(late.at),
  ]);
}

const grow = (copy: Buffer, { start }: Box, by: number): void => {
  copy.writeUInt32BE(copy.readUInt32BE(start) + by, start);
};

/** What the code points of the primary picture ask for; null where a profile has its say, or none is needed. */
function wantedProfile(avif: Buffer, boxes: AvifBoxes): Buffer | null {
  const own = boxes.associations.get(boxes.primary) ?? [];
  const colours = own
    .map(({ property }) => boxes.properties[property - 1])
    .filter((box) => box?.type === 'colr') as Box[];
  const kindOf = ({ content }: Box): string => avif.toString('latin1', content, content + 4);
  if (colours.some((box) => kindOf(box) !== 'nclx')) return null;
  const [nclx] = colours;
  if (nclx === undefined || nclx.end - nclx.content < 10) return null;
  const primaries = avif.readUInt16BE(nclx.content + 4);
  const transfer = avif.readUInt16BE(nclx.content + 6);
  const profile = profileOfCodes(
    primaries === UNSPECIFIED ? 1 : primaries,
    LIKE_SRGB.includes(transfer) ? 13 : transfer,
    'RGB ',
  );
  return profile === 'srgb' ? null : profile;
}

const UNSPECIFIED = 2;
/** Chromium shows the curves of video as sRGB in an AVIF, not in a PNG. */
const LIKE_SRGB = [1, UNSPECIFIED, 6, 14, 15];

/** Moves what lies behind `from` in the file; ISO/IEC 14496-12, section 8.11.3. Throws a RangeError for other places. */
function moveItems(copy: Buffer, { content }: Box, from: number, by: number): void {
  const version = copy.readUInt8(content);
  const sizes = copy.readUInt16BE(content + 4);
  const [offsetBytes, lengthBytes] = [sizes >> 12, (sizes >> 8) & 15];
  const [baseBytes, indexBytes] = [(sizes >> 4) & 15, version > 0 ? sizes & 15 : 0];
  // Without offsets, extents take no room and their number no bound.
  if (offsetBytes === 0) throw new RangeError('no offsets of extents');
  const idBytes = version < 2 ? 2 : 4;
  let at = content + 6;
  const count = copy.readUIntBE(at, idBytes);
  at += idBytes;
  for (let item = 0; item < count; item += 1) {
    at += idBytes;
    const method = version > 0 ? copy.readUInt16BE(at) & 15 : 0;
    at += (version > 0 ? 2 : 0) + 2;
    const base = move(copy, at, baseBytes, method === 0 ? from : Infinity, by);
    at += baseBytes;
    const extents = copy.readUInt16BE(at);
    at += 2;
    for (let extent = 0; extent < extents; extent += 1) {
      at += indexBytes;
      // Offsets count from the base: where that has moved, they go with it.
      move(copy, at, offsetBytes, method === 0 && base < from ? from - base : Infinity, by);
      at += offsetBytes + lengthBytes;
    }
  }
}

/** The number before it was moved. */
function move(copy: Buffer, at: number, bytes: number, from: number, by: number): number {
  if (bytes === 0) return 0;
  const value = bytes === 8 ? Number(copy.readBigUInt64BE(at)) : copy.readUIntBE(at, bytes);
  if (value < from) return value;
  if (bytes === 8) copy.writeBigUInt64BE(BigInt(value + by), at);
  else copy.writeUIntBE(value + by, at, bytes);
  return value;
}
