/**
 * PDQ, the perceptual hash of an image in 256 bits: Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ
 * Image-Hashing Algorithm", 2019. Imports nothing. The arithmetic is that of the reference implementation, in
 * floats of 32 bits, so that the same luma gives the same bits.
 */

export interface PdqHash {
  /** 32 bytes, the most significant bit first, as the hexadecimal form is written. */
  hash: Uint8Array;
  /** 0 (featureless) to 100. */
  quality: number;
}

/** What an image may have been turned into. `flipX` is upside down, `flipY` a mirror image. */
export type Turn = keyof typeof TURNS;

/** Two pictures whose hashes differ in at most this many bits are taken for the same: the reference's advice. */
export const MATCH_DISTANCE = 31;
/** A hash of a lower quality says too little of its picture to match anything: the reference's advice. */
export const LEAST_QUALITY = 50;

/** The image is brought to this many rows and columns. */
const SIDE = 64;
/** Of these, so many frequencies each way are kept, without the constant one. */
const KEPT = 16;
const SMALLEST = 5;
const BLURS = 2;
const BYTES = 32;

/** Rotating and flipping an image transposes its spectrum and negates its even rows or columns. */
const TURNS = {
  original: { transpose: false, rows: false, columns: false },
  rotate90: { transpose: true, rows: false, columns: true },
  rotate180: { transpose: false, rows: true, columns: true },
  rotate270: { transpose: true, rows: true, columns: false },
  flipX: { transpose: false, rows: true, columns: false },
  flipY: { transpose: false, rows: false, columns: true },
  flipPlus1: { transpose: true, rows: false, columns: false },
  flipMinus1: { transpose: true, rows: true, columns: true },
};

const round = Math.fround;

/**
 * The hash of a luma plane `[height, width]`, 0 to 255, row by row. Bring large images within 512 × 512 first, as
 * the reference does. Below 5 pixels either way the hash is zero and so is its quality.
 */
export function pdqHash(luma: Uint8Array | Float32Array, width: number, height: number): PdqHash {
  const { spectrum, quality } = spectrumOf(luma, width, height);
  return { hash: bitsOf(spectrum), quality };
}

/** The hashes of the image in all eight rotations and reflections, from one spectrum. */
export function pdqDihedral(
  luma: Uint8Array | Float32Array,
  width: number,
  height: number,
): { hashes: Record<Turn, Uint8Array>; quality: number } {
  const { spectrum, quality } = spectrumOf(luma, width, height);
  const hashes = Object.entries(TURNS).map(([turn, how]) => [turn, bitsOf(turned(spectrum, how))]);
  return { hashes: Object.fromEntries(hashes) as Record<Turn, Uint8Array>, quality };
}

/** From its hexadecimal form, as `pdqHex` gives it. */
export function pdqFromHex({ hash, quality }: { hash: string; quality: number }): PdqHash {
  return { hash: Buffer.from(hash, 'hex'), quality };
}

/** 64 lower-case hexadecimal digits, as ThreatExchange and HMA write a hash. */
export function pdqHex(hash: Uint8Array): string {
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const ONES = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte.toString(2).replaceAll('0', '').length,
);

/** How many of the 256 bits differ (the Hamming distance). Unrelated pictures are at about 128. */
export function distance(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < BYTES; i++) {
    sum += ONES[(a[i] as number) ^ (b[i] as number)] as number;
  }
  return sum;
}

interface Spectrum {
  /** `[16, 16]` */
  spectrum: Float32Array;
  quality: number;
}

function spectrumOf(luma: Uint8Array | Float32Array, width: number, height: number): Spectrum {
  if (luma.length !== width * height) {
    throw new RangeError(`hashing an image: ${luma.length} luma values for ${width}x${height}`);
  }
  if (width < SMALLEST || height < SMALLEST) {
    return { spectrum: new Float32Array(KEPT * KEPT), quality: 0 };
  }
  const small = decimate(blur(new Float32Array(luma), width, height), width, height);
  return { spectrum: cosineTransform(small), quality: qualityOf(small) };
}

/** Wojciech Jarosz, "Fast Image Convolutions", 2001: two box filters each way make a tent. */
function blur(image: Float32Array, width: number, height: number): Float32Array {
  const aside = new Float32Array(image.length);
  const columns = windowOf(width);
  const rows = windowOf(height);
  for (let pass = 0; pass < BLURS; pass++) {
    for (let row = 0; row < height; row++) box(image, aside, row * width, 1, width, columns);
    for (let column = 0; column < width; column++) box(aside, image, column, width, height, rows);
  }
  return image;
}

/** Half of what becomes one value, since the two passes add up. */
function windowOf(length: number): number {
  return Math.ceil(length / (SIDE * BLURS));
}

/** The means of a window sliding along `length` values, of what lies within at both ends. */
function box(
  from: Float32Array,
  to: Float32Array,
  start: number,
  stride: number,
  length: number,
  window: number,
): void {
  const ahead = window >> 1;
  const end = start + length * stride;
  let sum = 0;
  let count = 0;
  let right = start;
  for (; count < ahead; count++, right += stride) sum = round(sum + at(from, right));
  for (let out = start, left = start; out < end; out += stride) {
    const enters = right < end;
    if (enters) {
      sum = round(sum + at(from, right));
      right += stride;
      count++;
    }
    if (!enters || count > window) {
      sum = round(sum - at(from, left));
      left += stride;
      count--;
    }
    to[out] = sum / count;
  }
}

/** The values nearest the centres of 64 × 64 cells. */
function decimate(image: Float32Array, width: number, height: number): Float32Array {
  const small = new Float32Array(SIDE * SIDE);
  for (let i = 0, to = 0; i < SIDE; i++) {
    const row = Math.floor(((i + 0.5) * height) / SIDE) * width;
    for (let j = 0; j < SIDE; j++) {
      small[to++] = at(image, row + Math.floor(((j + 0.5) * width) / SIDE));
    }
  }
  return small;
}

/** How much neighbours differ, in whole percents of the range: many faint gradients are none. */
function qualityOf(small: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      const here = at(small, i * SIDE + j);
      if (i + 1 < SIDE) sum += gradient(here, at(small, (i + 1) * SIDE + j));
      if (j + 1 < SIDE) sum += gradient(here, at(small, i * SIDE + j + 1));
    }
  }
  return Math.min(100, Math.floor(sum / 90));
}

function gradient(a: number, b: number): number {
  return Math.floor(Math.abs(round(round(round(a - b) * 100) / 255)));
}

const COSINES = cosines();

/** Rows 1 to 16 of the transform's matrix, `[16, 64]`. */
function cosines(): Float32Array {
  const scale = round(Math.sqrt(2 / SIDE));
  return Float32Array.from({ length: KEPT * SIDE }, (_, index) => {
    const i = Math.floor(index / SIDE);
    const j = index % SIDE;
    return scale * Math.cos((Math.PI / 2 / SIDE) * (i + 1) * (2 * j + 1));
  });
}

/** The discrete cosine transform of `[64, 64]`, of which `[16, 16]` are computed. */
function cosineTransform(small: Float32Array): Float32Array {
  const half = new Float32Array(KEPT * SIDE);
  for (let i = 0; i < KEPT; i++) {
    for (let j = 0; j < SIDE; j++) {
      let sum = 0;
      for (let k = 0; k < SIDE; k++) {
        sum = round(sum + round(at(COSINES, i * SIDE + k) * at(small, k * SIDE + j)));
      }
      half[i * SIDE + j] = sum;
    }
  }
  const spectrum = new Float32Array(KEPT * KEPT);
  for (let i = 0; i < KEPT; i++) {
    for (let j = 0; j < KEPT; j++) {
      let sum = 0;
      for (let k = 0; k < SIDE; k++) {
        sum = round(sum + round(at(half, i * SIDE + k) * at(COSINES, j * SIDE + k)));
      }
      spectrum[i * KEPT + j] = sum;
    }
  }
  return spectrum;
}

function turned(spectrum: Float32Array, how: (typeof TURNS)[Turn]): Float32Array {
  const result = new Float32Array(spectrum.length);
  for (let i = 0; i < KEPT; i++) {
    for (let j = 0; j < KEPT; j++) {
      const row = how.rows && i % 2 === 0 ? -1 : 1;
      const column = how.columns && j % 2 === 0 ? -1 : 1;
      const to = how.transpose ? j * KEPT + i : i * KEPT + j;
      result[to] = row * column * at(spectrum, i * KEPT + j);
    }
  }
  return result;
}

/** A bit is set where the spectrum exceeds its lower median; bit 0 is the last of the last byte. */
function bitsOf(spectrum: Float32Array): Uint8Array {
  const median = at(Float32Array.from(spectrum).sort(), spectrum.length / 2 - 1);
  const hash = new Uint8Array(BYTES);
  for (const [bit, value] of spectrum.entries()) {
    const byte = BYTES - 1 - (bit >> 3);
    if (value > median) hash[byte] = (hash[byte] as number) | (1 << (bit & 7));
  }
  return hash;
}

/** An index is known to lie within; the compiler does not know it. */
function at(values: Float32Array, index: number): number {
  return values[index] as number;
}
