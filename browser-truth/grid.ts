/** What a picture looks like, small enough to keep: the mean colours of the cells of a grid. */
export interface Look {
  width: number;
  height: number;
  /** RGB of each cell, row by row, of the picture over white, in base64. */
  white: string;
  /** The same over black; null for a picture without transparency. */
  black: string | null;
}

export const COLUMNS = 12;
export const ROWS = 8;

/** The mean of each cell over one background of 0 or 255. Runs in the browser too, from its source. */
export function gridOf(
  rgba: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  background: number,
  columns: number,
  rows: number,
): Uint8Array {
  const grid = new Uint8Array(columns * rows * 3);
  for (let row = 0; row < rows; row += 1) {
    const top = Math.floor((row * height) / rows);
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * height) / rows));
    for (let column = 0; column < columns; column += 1) {
      const left = Math.floor((column * width) / columns);
      const right = Math.max(left + 1, Math.floor(((column + 1) * width) / columns));
      const sums = [0, 0, 0];
      for (let y = top; y < bottom; y += 1) {
        for (let x = left; x < right; x += 1) {
          const at = (y * width + x) * 4;
          const alpha = (rgba[at + 3] ?? 0) / 255;
          for (let i = 0; i < 3; i += 1) {
            sums[i] = (sums[i] ?? 0) + (rgba[at + i] ?? 0) * alpha + background * (1 - alpha);
          }
        }
      }
      const pixels = (bottom - top) * (right - left);
      const cell = (row * columns + column) * 3;
      for (let i = 0; i < 3; i += 1) grid[cell + i] = Math.round((sums[i] ?? 0) / pixels);
    }
  }
  return grid;
}

/** The look of RGBA pixels. */
export function lookOf(rgba: Uint8Array, width: number, height: number): Look {
  let opaque = true;
  for (let at = 3; at < rgba.length && opaque; at += 4) opaque = rgba[at] === 255;
  const over = (background: number): string =>
    Buffer.from(gridOf(rgba, width, height, background, COLUMNS, ROWS)).toString('base64');
  return { width, height, white: over(255), black: opaque ? null : over(0) };
}
