import { crc32 } from 'node:zlib';
import { z } from 'zod';
import type { InspectedImage } from './embedding-cache.ts';

/**
 * Raise it with every change of the layout; it is part of the key, so that instances of different versions share a
 * store without seeing each other's values.
 */
export const FORMAT_VERSION = 1;

const CHECKSUM_AT = 1;
const HEADER_SIZE_AT = 5;
const HEADER_AT = 9;
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** A length of 1 as far as single precision keeps it. */
const UNIT_TOLERANCE = 1e-3;

const count = z.int().positive();
const offset = z.int().nonnegative();
const region = z.strictObject({
  frame: offset,
  crop: z.string(),
  box: z.strictObject({ left: offset, top: offset, width: count, height: count }).nullable(),
  background: z.string().nullable(),
});
const header = z.strictObject({
  format: z.string(),
  width: count,
  height: count,
  frames: count,
  damaged: z.boolean(),
  pdq: z
    .strictObject({
      hash: z.string().regex(/^[0-9a-f]{64}$/),
      quality: z.number().min(0).max(100),
    })
    .nullable(),
  regions: z.array(region).min(1),
});

/**
 * The value of an image in a shared store: format version (1 byte), CRC-32 of the key and everything that follows
 * (4), size of the header (4), header as JSON, then the embeddings of the regions in order as 32-bit floats. Numbers
 * are little-endian, as on every platform that Node and ONNX Runtime are built for.
 */
export function encodeImage(key: string, image: InspectedImage): Buffer {
  const { views, ...facts } = image;
  const json = Buffer.from(
    JSON.stringify({ ...facts, regions: views.map(({ region }) => region) }),
  );
  const start = Buffer.alloc(HEADER_AT);
  start[0] = FORMAT_VERSION;
  start.writeUInt32LE(json.length, HEADER_SIZE_AT);
  const numbers = views.map(({ embedding: { buffer, byteOffset, byteLength } }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  const value = Buffer.concat([start, json, ...numbers]);
  value.writeUInt32LE(checksum(key, value), CHECKSUM_AT);
  return value;
}

/**
 * The image, or null when this is not what `encodeImage` made for this key and number of dimensions: nothing in the
 * value is trusted, since whoever may write to the store may write anything.
 */
export function decodeImage(key: string, value: Buffer, dimensions: number): InspectedImage | null {
  if (value.length < HEADER_AT || value[0] !== FORMAT_VERSION) return null;
  if (value.readUInt32LE(CHECKSUM_AT) !== checksum(key, value)) return null;
  const numbersAt = HEADER_AT + value.readUInt32LE(HEADER_SIZE_AT);
  const facts = parseHeader(value.toString('utf8', HEADER_AT, numbersAt));
  const bytes = value.subarray(numbersAt);
  if (!facts || bytes.length !== facts.regions.length * dimensions * FLOAT_BYTES) return null;

  const numbers = new Float32Array(bytes.length / FLOAT_BYTES);
  new Uint8Array(numbers.buffer).set(bytes);
  const { regions, ...rest } = facts;
  const views = regions.map((region, i) => ({
    region,
    embedding: numbers.subarray(i * dimensions, (i + 1) * dimensions),
  }));
  return views.every(({ embedding }) => isUnit(embedding)) ? { ...rest, views } : null;
}

function checksum(key: string, value: Buffer): number {
  return crc32(value.subarray(HEADER_SIZE_AT), crc32(key));
}

function parseHeader(text: string): z.infer<typeof header> | undefined {
  try {
    return header.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isUnit(vector: Float32Array): boolean {
  let sum = 0;
  for (const number of vector) sum += number * number;
  return Math.abs(Math.sqrt(sum) - 1) <= UNIT_TOLERANCE;
}
