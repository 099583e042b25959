import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  distance,
  MATCH_DISTANCE,
  pdqDihedral,
  pdqHash,
  pdqHex,
  type Turn,
} from '../../src/hashes/pdq.ts';
import { createDecoderPool } from '../../src/images/decoder-pool.ts';
import { packageFile } from '../../src/package-files.ts';
import { generatedLuma, type GeneratedPicture } from '../support/generated-pictures.ts';
import { clipSpec, PARITY, parityImage } from '../support/tiny-clip.ts';

interface Hashes {
  quality: number;
  hashes: Record<Turn, string>;
}

const FIXTURES = packageFile('test/fixtures/pdq');
const json = (name: string): unknown => JSON.parse(readFileSync(join(FIXTURES, name), 'utf8'));
const reference = json('pdqhash.json') as {
  generated: Array<GeneratedPicture & Hashes>;
  pictures: Record<string, Hashes>;
};
const published = json('published.json') as Record<string, string>;

const pool = createDecoderPool({
  preprocess: clipSpec,
  processes: 1,
  timeoutMs: 10_000,
  memoryBytes: 2 ** 30,
  maxPixels: 1e8,
  maxEdge: 65_535,
  maxFrames: 100,
});
afterAll(() => pool.close());

const bytesOf = (hex: string): Uint8Array => Buffer.from(hex, 'hex');

describe('a PDQ hash', () => {
  it.each(reference.generated)(
    'of generated luma is, bit for bit, that of the reference: $kind, $width x $height',
    (picture) => {
      const { width, height, quality, hashes } = picture;
      const luma = generatedLuma(picture);
      const one = pdqHash(luma, width, height);
      expect({ hash: pdqHex(one.hash), quality: one.quality }).toEqual({
        hash: hashes.original,
        quality,
      });
      const all = pdqDihedral(luma, width, height);
      const inHex = Object.entries(all.hashes).map(([turn, hash]) => [turn, pdqHex(hash)]);
      expect(all.quality).toBe(quality);
      expect(inHex).toEqual(Object.entries(hashes));
    },
  );

  it.each(Object.entries(reference.pictures))(
    'of the lossless file %s is, bit for bit, that of the reference',
    async (name, { quality, hashes }) => {
      const found = await pool.fingerprint(readFileSync(join(PARITY, name)));
      expect(found).toMatchObject({ hash: hashes.original, quality, format: 'png' });
    },
  );

  it.each(Object.entries(published))(
    'of the JPEG %s is within the 10 bits of the published one that other decoders may make (measured: 0)',
    async (name, hash) => {
      const found = await pool.fingerprint(readFileSync(join(FIXTURES, name)));
      expect(distance(bytesOf(found.hash), bytesOf(hash))).toBeLessThanOrEqual(10);
    },
  );

  it.each([
    ['grey16.png', 'grey.png', 0],
    ['grey-alpha.png', 'grey.png', 0],
    ['lossy.webp', 'rgb.jpg', 2],
    ['cmyk.jpg', 'progressive.jpg', 8],
    ['palette.png', 'rgb.jpg', 14],
  ])('of the picture in %s matches that in %s (measured: %i bits)', async (one, other) => {
    const [a, b] = await Promise.all(
      [one, other].map((name) => pool.fingerprint(parityImage(name))),
    );
    expect(distance(bytesOf(a?.hash ?? ''), bytesOf(b?.hash ?? ''))).toBeLessThanOrEqual(
      MATCH_DISTANCE,
    );
  });

  it('of an image of less than 5 pixels either way is zero, of quality 0', () => {
    const { hash, quality } = pdqHash(new Uint8Array(4 * 100).fill(9), 4, 100);
    expect([pdqHex(hash), quality]).toEqual(['0'.repeat(64), 0]);
  });

  it('is of quality 0 where there is nothing to be seen', () => {
    expect(pdqHash(new Uint8Array(100 * 100).fill(200), 100, 100).quality).toBe(0);
  });

  it('refuses luma that is not of the size said', () => {
    expect(() => pdqHash(new Uint8Array(99), 10, 10)).toThrow('99 luma values for 10x10');
  });
});

describe('the distance', () => {
  it('counts the bits that differ', () => {
    const none = new Uint8Array(32);
    expect(distance(none, none)).toBe(0);
    expect(distance(none, new Uint8Array(32).fill(255))).toBe(256);
    expect(
      distance(
        none,
        Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 5 : 0)),
      ),
    ).toBe(2);
  });
});
