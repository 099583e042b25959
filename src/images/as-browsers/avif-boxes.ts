/** The boxes of an AVIF that say how its primary picture looks; ISO/IEC 14496-12 and 23008-12. */

export interface Box {
  type: string;
  /** Where its size is written. */
  start: number;
  /** Where its content begins. */
  content: number;
  end: number;
}

/** Which properties an item has, one-based, and where that is written. */
export interface Association {
  property: number;
  /** Where its one or two bytes begin. */
  at: number;
}

export interface AvifBoxes {
  meta: Box;
  iprp: Box;
  ipco: Box;
  ipma: Box;
  iloc: Box;
  properties: Box[];
  /** By item, in the order in which they are applied. */
  associations: Map<number, Association[]>;
  /** 1 or 2. */
  associationBytes: number;
  primary: number;
}

/** More make no picture, and each costs time. */
const MAX_BOXES = 10_000;

/** Null where a box is missing, twice there or not sound. Throws a RangeError for numbers beyond the end. */
export function readAvif(avif: Buffer): AvifBoxes | null {
  const meta = only(boxesIn(avif, 0, avif.length), 'meta');
  if (meta === null) return null;
  const inMeta = boxesIn(avif, meta.content + 4, meta.end);
  const [iprp, iloc, pitm] = [only(inMeta, 'iprp'), only(inMeta, 'iloc'), only(inMeta, 'pitm')];
  if (iprp === null || iloc === null || pitm === null) return null;
  const inIprp = boxesIn(avif, iprp.content, iprp.end);
  const [ipco, ipma] = [only(inIprp, 'ipco'), only(inIprp, 'ipma')];
  if (ipco === null || ipma === null) return null;
  const isLong = avif.readUInt8(pitm.content) > 0;
  return {
    ...{ meta, iprp, ipco, ipma, iloc },
    properties: boxesIn(avif, ipco.content, ipco.end),
    associations: readAssociations(avif, ipma),
    associationBytes: avif.readUInt8(ipma.content + 3) & 1 ? 2 : 1,
    primary: isLong ? avif.readUInt32BE(pitm.content + 4) : avif.readUInt16BE(pitm.content + 4),
  };
}

/** Boxes with sizes of 32 bits, up to the first that is not whole. */
function boxesIn(avif: Buffer, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  for (let start = from; start + 8 <= to && boxes.length < MAX_BOXES;) {
    const end = start + avif.readUInt32BE(start);
    if (end < start + 8 || end > to) break;
    const type = avif.toString('latin1', start + 4, start + 8);
    boxes.push({ type, start, content: start + 8, end });
    start = end;
  }
  return boxes;
}

function only(boxes: readonly Box[], type: string): Box | null {
  const [box, another] = boxes.filter((each) => each.type === type);
  return box && !another ? box : null;
}

/** ISO/IEC 23008-12, section 9.3.2. */
function readAssociations(avif: Buffer, { content, end }: Box): Map<number, Association[]> {
  const isLong = avif.readUInt8(content) > 0;
  const bytes = avif.readUInt8(content + 3) & 1 ? 2 : 1;
  const found = new Map<number, Association[]>();
  let at = content + 8;
  for (let left = avif.readUInt32BE(content + 4); left > 0 && at < end; left -= 1) {
    const item = isLong ? avif.readUInt32BE(at) : avif.readUInt16BE(at);
    at += isLong ? 4 : 2;
    const count = avif.readUInt8(at);
    at += 1;
    found.set(
      item,
      Array.from({ length: count }, (_, i) => {
        const place = at + i * bytes;
        const property =
          bytes === 2 ? avif.readUInt16BE(place) & 0x7fff : avif.readUInt8(place) & 0x7f;
        return { property, at: place };
      }),
    );
    at += count * bytes;
  }
  return found;
}
