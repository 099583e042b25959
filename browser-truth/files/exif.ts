/** A TIFF directory with nothing but an orientation; Exif 2.32, section 4.6.4. */
export function exifOf(orientation: number, order: 'II' | 'MM' = 'II'): Buffer {
  const tiff = Buffer.alloc(26);
  tiff.write(order, 'latin1');
  const values: Array<[at: number, size: 2 | 4, value: number]> = [
    [2, 2, 42],
    [4, 4, 8],
    [8, 2, 1],
    [10, 2, 0x0112],
    [12, 2, 3],
    [14, 4, 1],
    [18, 2, orientation],
  ];
  for (const [at, size, value] of values) {
    if (order === 'II') tiff.writeUIntLE(value, at, size);
    else tiff.writeUIntBE(value, at, size);
  }
  return tiff;
}
