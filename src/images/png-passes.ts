/** Passes of an interlaced PNG: PNG 3rd edition, section 8.1 (Adam7). */
export interface Pass {
  /** Where its first pixel is, and how far it is to the next one. */
  left: number;
  top: number;
  across: number;
  down: number;
  /** What one of its pixels stands for until later passes come. */
  blockWidth: number;
  blockHeight: number;
}

const pass = (left: number, top: number, across: number, down: number, block: number[]): Pass => {
  const [blockWidth = 1, blockHeight = 1] = block;
  return { left, top, across, down, blockWidth, blockHeight };
};

export const ADAM7: readonly Pass[] = [
  pass(0, 0, 8, 8, [8, 8]),
  pass(4, 0, 8, 8, [4, 8]),
  pass(0, 4, 4, 8, [4, 4]),
  pass(2, 0, 4, 4, [2, 4]),
  pass(0, 2, 2, 4, [2, 2]),
  pass(1, 0, 2, 2, [1, 2]),
  pass(0, 1, 1, 2, [1, 1]),
];
export const NOT_INTERLACED: readonly Pass[] = [pass(0, 0, 1, 1, [1, 1])];

export interface PngSize {
  width: number;
  height: number;
  /** The bits of one pixel. */
  bits: number;
}

/** The columns and rows of a pass; both 0 where it has no pixel. */
export function extentOf({ left, top, across, down }: Pass, { width, height }: PngSize) {
  const columns = Math.max(0, Math.ceil((width - left) / across));
  const rows = Math.max(0, Math.ceil((height - top) / down));
  return columns > 0 && rows > 0 ? { columns, rows } : { columns: 0, rows: 0 };
}

/**
 * The filtered rows of a picture that is not interlaced, from those of seven passes of which the first `available`
 * bytes are there. Each pixel stands for those around it that have not come, as browsers draw it. Of whole bytes each.
 */
export function deinterlace(passes: Buffer, available: number, size: PngSize): Buffer {
  const bytes = size.bits / 8;
  const stride = 1 + size.width * bytes;
  const picture = Buffer.alloc(stride * size.height);
  let at = 0;
  for (const one of ADAM7) {
    const { columns, rows } = extentOf(one, size);
    const length = columns * bytes;
    let above: Uint8Array = Buffer.alloc(length);
    for (let row = 0; row < rows; row++) {
      if (at + 1 + length > available) return picture;
      const line = passes.subarray(at + 1, at + 1 + length);
      unfilter(passes.readUInt8(at), line, above, bytes);
      const y = one.top + row * one.down;
      const first = picture.subarray(y * stride + 1, (y + 1) * stride);
      for (let column = 0; column < columns; column++) {
        const x = (one.left + column * one.across) * bytes;
        const pixel = line.subarray(column * bytes, (column + 1) * bytes);
        first.fill(pixel, x, Math.min(x + one.blockWidth * bytes, first.length));
      }
      const end = Math.min(y + one.blockHeight, size.height) * stride;
      for (let below = (y + 1) * stride; below < end; below += stride) {
        picture.copyWithin(below, y * stride, (y + 1) * stride);
      }
      above = line;
      at += 1 + length;
    }
  }
  return picture;
}

/** Puts the samples of a row in the place of their differences; section 9.2. */
function unfilter(type: number, row: Uint8Array, above: Uint8Array, bytes: number): void {
  for (let at = 0; at < row.length; at++) {
    const left = at < bytes ? 0 : (row[at - bytes] as number);
    const up = above[at] as number;
    const corner = at < bytes ? 0 : (above[at - bytes] as number);
    row[at] = (row[at] as number) + predict(type, left, up, corner);
  }
}

function predict(type: number, left: number, up: number, corner: number): number {
  if (type === 1) return left;
  if (type === 2) return up;
  if (type === 3) return (left + up) >> 1;
  if (type !== 4) return 0;
  const a = Math.abs(up - corner);
  const b = Math.abs(left - corner);
  const c = Math.abs(left + up - 2 * corner);
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
