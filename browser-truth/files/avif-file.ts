/** AVIF files put together from bitstreams; ISO/IEC 23008-12 and 14496-12. */

export function box(type: string, ...content: Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  const body = Buffer.concat(content);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}
const full = (type: string, version: number, flags: number, ...content: Buffer[]): Buffer =>
  box(type, Buffer.from([version, 0, 0, flags]), ...content);
export const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => bytes.writeUInt16BE(value, i * 2));
  return bytes;
};
export const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeInt32BE(value | 0, i * 4));
  return bytes;
};

export interface Item {
  data: Buffer;
  type?: string;
  properties: Buffer[];
  /** Items that it refers to, by the kind of reference. */
  references?: Array<[kind: string, to: number[]]>;
}

/** Item 1 is the primary one. */
export function avif(items: readonly Item[]): Buffer {
  const properties = items.flatMap((item) => item.properties);
  let next = 1;
  const associations = items.map((item, i) => {
    const numbers = item.properties.map((property) => next++ | (isEssential(property) ? 0x80 : 0));
    return Buffer.concat([u16(i + 1), Buffer.from([numbers.length, ...numbers])]);
  });
  const references = items.flatMap((item, i) =>
    (item.references ?? []).map(([kind, to]) => box(kind, u16(i + 1, to.length, ...to))),
  );
  const meta = (start: number): Buffer => {
    let offset = start;
    const extents = items.map(({ data }, i) => {
      const entry = Buffer.concat([u16(i + 1, 0, 1), u32(offset, data.length)]);
      offset += data.length;
      return entry;
    });
    return full(
      'meta',
      ...[0, 0],
      full('hdlr', 0, 0, u32(0), Buffer.from('pict'), Buffer.alloc(13)),
      full('pitm', 0, 0, u16(1)),
      full('iloc', 0, 0, Buffer.from([0x44, 0]), u16(items.length), ...extents),
      full('iinf', 0, 0, u16(items.length), ...items.map(itemInfo)),
      ...(references.length > 0 ? [full('iref', 0, 0, ...references)] : []),
      box(
        'iprp',
        box('ipco', ...properties),
        full('ipma', 0, 0, u32(items.length), ...associations),
      ),
    );
  };
  const ftyp = box('ftyp', Buffer.from('avif\0\0\0\0avifmif1miaf', 'latin1'));
  const start = ftyp.length + meta(0).length + 8;
  return Buffer.concat([ftyp, meta(start), box('mdat', ...items.map(({ data }) => data))]);
}

/** ISO/IEC 23000-22, section 7.3.9: what changes the picture must be understood. */
const isEssential = (property: Buffer): boolean =>
  ['av1C', 'clap', 'irot', 'imir'].includes(property.toString('latin1', 4, 8));

function itemInfo({ type = 'av01' }: Item, i: number): Buffer {
  return full('infe', 2, 0, u16(i + 1, 0), Buffer.from(`${type}\0`));
}

/** The bitstream and configuration of the first item of an AVIF that libheif wrote, with its size. */
export function itemOf(file: Buffer, index = 0): Item {
  const content = (type: string, nth = 0): Buffer => {
    let at = -1;
    for (let i = 0; i <= nth; i += 1) at = file.indexOf(type, at + 1, 'latin1');
    return file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4));
  };
  // Version 0, offsets and lengths of 4 bytes, base offsets of 4.
  const entry = content('iloc').subarray(8 + index * 18);
  const offset = entry.readUInt32BE(4) + entry.readUInt32BE(10);
  const data = file.subarray(offset, offset + entry.readUInt32BE(14));
  const properties = ['av1C', 'ispe', 'pixi'].map((type) => {
    const many = file.toString('latin1').split(type).length - 1;
    return box(type, content(type, Math.min(index, many - 1)));
  });
  return { data, properties };
}

/** Primaries, transfer function and matrix of ITU-T H.273. */
export const nclx = (
  primaries: number,
  transfer: number,
  matrix: number,
  fullRange = true,
): Buffer =>
  box(
    'colr',
    Buffer.from('nclx'),
    u16(primaries, transfer, matrix),
    Buffer.from([fullRange ? 0x80 : 0]),
  );
export const icc = (profile: Buffer): Buffer => box('colr', Buffer.from('prof'), profile);
export const irot = (quarters: number): Buffer => box('irot', Buffer.from([quarters]));
export const imir = (axis: number): Buffer => box('imir', Buffer.from([axis]));
/** Width, height and offsets from the centre, each a fraction. */
export const clap = (...values: number[]): Buffer => box('clap', u32(...values));
export const auxiliary = full(
  'auxC',
  0,
  0,
  Buffer.from('urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0'),
);
