import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeImage, encodeImage } from '../../src/cache/image-codec.ts';
import { anInspectedImage, aUnitVector, DIMENSIONS } from '../support/inspected-images.ts';
import { aRegion } from '../support/builders.ts';

const KEY = 'moderato:1:model:preprocessing:sha256';
const sound = encodeImage(KEY, anInspectedImage());

/** `value` as somebody would write it who knows how the checksum is made. */
function signed(value: Buffer): Buffer {
  value.writeUInt32LE(crc32(value.subarray(5), crc32(KEY)), 1);
  return value;
}

/** The header `json` and the numbers after it, well-formed but for what they say. */
function forged(json: unknown, numbers: Float32Array, headerBytes?: number): Buffer {
  const text = Buffer.from(JSON.stringify(json));
  const start = Buffer.alloc(9);
  start[0] = 1;
  start.writeUInt32LE(headerBytes ?? text.length, 5);
  return signed(Buffer.concat([start, text, Buffer.from(numbers.buffer)]));
}

const { views, ...facts } = anInspectedImage();
const regions = views.map(({ region }) => region);
const vector = aUnitVector(1);

describe('the value of an image', () => {
  it('reads back as it was, whatever it is', () => {
    const image = fc.record({
      seed: fc.nat(1000),
      format: fc.string({ maxLength: 8 }),
      width: fc.integer({ min: 1, max: 100_000 }),
      height: fc.integer({ min: 1, max: 100_000 }),
      frames: fc.integer({ min: 1, max: 1_000 }),
      damaged: fc.boolean(),
      pdq: fc.option(
        fc.record({
          hash: fc.stringMatching(/^[0-9a-f]{64}$/),
          quality: fc.integer({ min: 0, max: 100 }),
        }),
      ),
      crops: fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(image, ({ seed, crops, ...rest }) => {
        const kept = {
          ...rest,
          views: crops.map((crop, frame) => ({
            region: aRegion({ frame, crop }),
            embedding: aUnitVector(seed + frame),
          })),
        };
        expect(decodeImage(KEY, encodeImage(KEY, kept), DIMENSIONS)).toEqual(kept);
      }),
    );
  });

  it('is nothing once any bit of it has changed', () => {
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const value = Buffer.from(sound);
      value[bit >> 3] = Number(value[bit >> 3]) ^ (1 << (bit & 7));
      expect(decodeImage(KEY, value, DIMENSIONS)).toBeNull();
    }
  });

  it('is nothing when it was cut short or has something after it', () => {
    for (let length = 0; length < sound.length; length++) {
      expect(decodeImage(KEY, sound.subarray(0, length), DIMENSIONS)).toBeNull();
    }
    expect(decodeImage(KEY, Buffer.concat([sound, Buffer.alloc(4)]), DIMENSIONS)).toBeNull();
  });

  it('is nothing under another key or for a model of other dimensions', () => {
    expect(decodeImage(`${KEY}0`, sound, DIMENSIONS)).toBeNull();
    expect(decodeImage(KEY, sound, DIMENSIONS / 2)).toBeNull();
  });

  it('is nothing when it is anybody’s bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, sign) => {
        const value = Buffer.from(bytes);
        if (value.length > 9) value[0] = 1;
        expect(decodeImage(KEY, sign && value.length > 9 ? signed(value) : value, 8)).toBeNull();
      }),
    );
  });

  it('is sound as the forger of the following ones makes it', () => {
    expect(decodeImage(KEY, forged({ ...facts, regions }, vector), DIMENSIONS)).toEqual(
      anInspectedImage(),
    );
  });

  it.each([
    ['a header larger than the value', forged({ ...facts, regions }, vector, 0xffffffff)],
    ['a header that ends too early', forged({ ...facts, regions }, vector, 10)],
    ['a header that is not an object', forged([], vector)],
    ['no regions', forged({ ...facts, regions: [] }, new Float32Array())],
    ['more regions than vectors', forged({ ...facts, regions: [regions, regions] }, vector)],
    ['a width of 0', forged({ ...facts, width: 0, regions }, vector)],
    [
      'a PDQ of other length',
      forged({ ...facts, pdq: { hash: 'ff', quality: 1 }, regions }, vector),
    ],
    ['a key too many', forged({ ...facts, regions, verdict: 'allow' }, vector)],
    ['vectors of no length', forged({ ...facts, regions }, new Float32Array(DIMENSIONS))],
    [
      'vectors too long',
      forged(
        { ...facts, regions },
        vector.map((n) => n * 1.01),
      ),
    ],
    [
      'no numbers',
      forged(
        { ...facts, regions },
        vector.map(() => Number.NaN),
      ),
    ],
  ])('is nothing with %s', (_what, value) => {
    expect(decodeImage(KEY, value, DIMENSIONS)).toBeNull();
  });
});
