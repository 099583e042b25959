/** Whether tags of an ICC profile (ICC.1:2022, section 10) are such as skcms takes them. */

const fixed = (tag: Buffer, at: number): number => tag.readInt32BE(at) / 65_536;

/** Numbers that follow the type of a parametric curve, by its function type. */
const PARAMETERS = [1, 3, 4, 5, 7];

/** curveType or parametricCurveType. */
export function isSoundCurve(tag: Buffer): boolean {
  const type = tag.toString('latin1', 0, 4);
  if (tag.length < 12) return false;
  if (type === 'curv') return tag.length >= 12 + 2 * tag.readUInt32BE(8);
  const count = type === 'para' ? PARAMETERS[tag.readUInt16BE(8)] : undefined;
  if (count === undefined || tag.length < 12 + 4 * count) return false;
  const [g = 1, a = 1, b = 0, c = 0, d = 0] = Array.from({ length: count }, (_, i) =>
    fixed(tag, 12 + i * 4),
  );
  return g >= 0 && a >= 0 && c >= 0 && d >= 0 && a * d + b >= 0;
}

/** lut8Type, lut16Type or lutAToBType, from so many channels to three. */
export function isSoundTable(tag: Buffer, inputs: number): boolean {
  if (tag.length < 32 || tag[8] !== inputs || tag[9] !== 3) return false;
  const type = tag.toString('latin1', 0, 4);
  if (type === 'mAB ') return isSoundPipeline(tag, inputs);
  const points = tag.readUInt8(10);
  if (points < 2 || tag.length < 52) return false;
  const grid = 3 * points ** inputs;
  if (type === 'mft1') return tag.length >= 48 + 256 * inputs + grid + 256 * 3;
  const [before, behind] = [tag.readUInt16BE(48), tag.readUInt16BE(50)];
  const inRange = [before, behind].every((entries) => entries >= 2 && entries <= 4096);
  return type === 'mft2' && inRange && tag.length >= 52 + 2 * (before * inputs + grid + behind * 3);
}

/** Offsets of the B curves, the matrix, the M curves, the grid and the A curves; 0: not there. */
function isSoundPipeline(tag: Buffer, inputs: number): boolean {
  const [b = 0, matrix = 0, m = 0, grid = 0, a = 0] = [12, 16, 20, 24, 28].map((at) =>
    tag.readUInt32BE(at),
  );
  if (b === 0 || (matrix === 0) !== (m === 0) || (grid === 0) !== (a === 0)) return false;
  if (grid === 0 && inputs !== 3) return false;
  if (grid === 0) return areCurves(tag, b, 3) && (m === 0 || areCurves(tag, m, 3));
  if (grid + 20 > tag.length) return false;
  const points = [...tag.subarray(grid, grid + inputs)];
  const bytes = tag.readUInt8(grid + 16);
  const values = points.reduce((product, each) => product * each, 3);
  return (
    points.every((each) => each >= 2) &&
    (bytes === 1 || bytes === 2) &&
    grid + 20 + values * bytes <= tag.length &&
    areCurves(tag, b, 3) &&
    (m === 0 || areCurves(tag, m, 3)) &&
    areCurves(tag, a, inputs)
  );
}

/** Curves one behind the other, each beginning at a multiple of 4. */
function areCurves(tag: Buffer, from: number, count: number): boolean {
  let at = from;
  for (let i = 0; i < count; i += 1) {
    if (at + 12 > tag.length || !isSoundCurve(tag.subarray(at))) return false;
    const isTable = tag.toString('latin1', at, at + 4) === 'curv';
    const size = isTable
      ? 12 + 2 * tag.readUInt32BE(at + 8)
      : 12 + 4 * (PARAMETERS[tag.readUInt16BE(at + 8)] ?? 0);
    at += Math.ceil(size / 4) * 4;
  }
  return true;
}
