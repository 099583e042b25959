/** ICC profiles (ICC.1:2022) made of what other chunks and boxes say about colours. */

/** x and y of white, red, green and blue. */
export type Chromaticities = readonly number[];
export const SRGB_CHROMATICITIES: Chromaticities = [
  0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06,
];

type Matrix = [number, number, number, number, number, number, number, number, number];

/** Bradford's cone responses, by which ICC adapts white points (annex E). */
const BRADFORD: Matrix = [
  ...[0.8951, 0.2664, -0.1614],
  ...[-0.7502, 1.7135, 0.0367],
  ...[0.0389, -0.0685, 1.0296],
] as unknown as Matrix;
const D50 = [0.96422, 1, 0.82521] as const;

/** Points of a table of a curve: lcms goes straight between them. */
const POINTS = 1024;

/**
 * A profile of RGB with these primaries and this curve from samples to light, both 0 to 1; null for
 * chromaticities that no colours have.
 */
export function matrixProfile(
  chromaticities: Chromaticities,
  curve: (sample: number) => number,
): Buffer | null {
  const columns = toD50(chromaticities);
  if (columns === null || !columns.every((value) => Math.abs(value) < 32_767)) return null;
  const table = curveTag(curve);
  const tags: Array<[string, Buffer]> = ['r', 'g', 'b'].flatMap((name, i) => [
    [
      `${name}XYZ`,
      xyzTag(columns[i] as number, columns[i + 3] as number, columns[i + 6] as number),
    ],
    [`${name}TRC`, table],
  ]);
  return profileOf('RGB ', tags);
}

/** A profile of grey with this curve. */
export function greyProfile(curve: (sample: number) => number): Buffer {
  return profileOf('GRAY', [['kTRC', curveTag(curve)]]);
}

/**
 * A profile of a display in place of a device link, which libpng refuses. Without a matrix and from version 4 on, lcms
 * takes for its darkest colour what ICC.1 prescribes, which is all but black.
 */
export function asDisplay(link: Buffer): Buffer {
  const space = link.toString('latin1', 16, 20) as 'RGB ' | 'GRAY';
  const [offset, size] = [link.readUInt32BE(136), link.readUInt32BE(140)];
  const table = Buffer.concat([link.subarray(offset, offset + size), Buffer.alloc(-size & 3)]);
  const connection = link.toString('latin1', 20, 24);
  return profileOf(space, [['A2B0', table]], { connection, version: 4 });
}

function profileOf(
  space: 'RGB ' | 'GRAY',
  tags: ReadonlyArray<[string, Buffer]>,
  { connection = 'XYZ ', version = 2 } = {},
): Buffer {
  const head = Buffer.alloc(132 + tags.length * 12);
  head.writeUInt32BE(version << 24, 8);
  head.write(`mntr${space}${connection}`, 12, 'latin1');
  head.write('acsp', 36, 'latin1');
  [0.9642, 1, 0.8249].forEach((value, i) => {
    head.writeInt32BE(Math.round(value * 65_536), 68 + i * 4);
  });
  head.writeUInt32BE(tags.length, 128);
  const bodies: Buffer[] = [];
  const places = new Map<Buffer, number>();
  let end = head.length;
  tags.forEach(([signature, data], i) => {
    const place = places.get(data) ?? end;
    if (!places.has(data)) {
      places.set(data, place);
      bodies.push(data);
      end += data.length;
    }
    head.write(signature, 132 + i * 12, 'latin1');
    head.writeUInt32BE(place, 136 + i * 12);
    head.writeUInt32BE(data.length, 140 + i * 12);
  });
  head.writeUInt32BE(end);
  return Buffer.concat([head, ...bodies]);
}

/** XYZType. */
function xyzTag(...values: number[]): Buffer {
  const tag = Buffer.alloc(20);
  tag.write('XYZ ', 'latin1');
  values.forEach((value, i) => tag.writeInt32BE(Math.round(value * 65_536), 8 + i * 4));
  return tag;
}

/** curveType with a table. */
function curveTag(curve: (sample: number) => number): Buffer {
  const tag = Buffer.alloc(12 + POINTS * 2);
  tag.write('curv', 'latin1');
  tag.writeUInt32BE(POINTS, 8);
  for (let i = 0; i < POINTS; i += 1) {
    const light = Math.min(1, Math.max(0, curve(i / (POINTS - 1))));
    tag.writeUInt16BE(Math.round(light * 65_535), 12 + i * 2);
  }
  return tag;
}

/** From linear RGB to XYZ under D50, row by row; null where primaries lie on one line or nothing is white. */
export function toD50(chromaticities: Chromaticities): Matrix | null {
  const [wx = 0, wy = 0, rx = 0, ry = 0, gx = 0, gy = 0, bx = 0, by = 0] = chromaticities;
  if (chromaticities.some((value) => !(value >= 0 && value <= 1)) || wy === 0) return null;
  const primaries: Matrix = [rx, gx, bx, ry, gy, by, 1 - rx - ry, 1 - gx - gy, 1 - bx - by];
  const inverse = inverted(primaries);
  if (inverse === null) return null;
  const white = [wx / wy, 1, (1 - wx - wy) / wy] as const;
  const scales = applied(inverse, white);
  const toXyz = primaries.map((value, i) => value * (scales[i % 3] as number)) as Matrix;
  const source = applied(BRADFORD, white);
  const target = applied(BRADFORD, D50);
  const back = inverted(BRADFORD) as Matrix;
  const scaled = BRADFORD.map((value, i) => {
    const row = Math.floor(i / 3);
    return (value * (target[row] as number)) / (source[row] as number);
  }) as Matrix;
  const adapted = product(product(back, scaled), toXyz);
  return adapted.every(Number.isFinite) ? adapted : null;
}

function applied(matrix: Matrix, vector: readonly number[]): number[] {
  return [0, 3, 6].map((row) =>
    [0, 1, 2].reduce((sum, i) => sum + (matrix[row + i] as number) * (vector[i] as number), 0),
  );
}

function product(left: Matrix, right: Matrix): Matrix {
  const columns = [0, 1, 2].map((c) =>
    applied(left, [right[c], right[c + 3], right[c + 6]] as number[]),
  );
  return Array.from({ length: 9 }, (_, i) => columns[i % 3]?.[Math.floor(i / 3)]) as Matrix;
}

function inverted([a, b, c, d, e, f, g, h, i]: Matrix): Matrix | null {
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  if (Math.abs(determinant) < 1e-9) return null;
  const adjugate = [
    ...[e * i - f * h, c * h - b * i, b * f - c * e],
    ...[f * g - d * i, a * i - c * g, c * d - a * f],
    ...[d * h - e * g, b * g - a * h, a * e - b * d],
  ];
  return adjugate.map((value) => value / determinant) as Matrix;
}
