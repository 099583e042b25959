import { inflateSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { buildCorpus } from '../../fuzz/corpus/corpus.ts';
import type { Entry } from '../../fuzz/corpus/entry.ts';
import { zlibOfZeros } from '../../fuzz/corpus/zeros.ts';
import { sniffFormat } from '../../src/images/sniff-format.ts';

let corpus: Entry[];
beforeAll(async () => {
  corpus = await buildCorpus();
}, 60_000);

const entry = (name: string): Buffer => {
  const found = corpus.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no ${name} in the corpus`);
  return found.bytes;
};

describe('the corpus', () => {
  it('has names of its own for its files', () => {
    expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
  });

  it('is what it says, by its first bytes', () => {
    const others = corpus.filter(({ bytes, format }) => sniffFormat(bytes) !== format);
    expect(others.map(({ name }) => name)).toEqual([]);
  });

  it('has files of every format that is decoded, and of none', () => {
    const formats = new Set(corpus.map(({ format }) => format));
    expect(formats).toEqual(new Set(['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff', null]));
  });

  it('is small enough for an event, and the same each time', async () => {
    expect(corpus.filter(({ bytes }) => bytes.length > 20 * 2 ** 20)).toEqual([]);
    const again = await buildCorpus();
    expect(again.map(({ name }) => name)).toEqual(corpus.map(({ name }) => name));
    const changed = again.filter(({ bytes }, at) => !corpus[at]?.bytes.equals(bytes));
    expect(changed.map(({ name }) => name)).toEqual([]);
  }, 60_000);
});

describe('what is built', () => {
  it.each([
    ['png of zeros, 10,000 x 10,000', { format: 'png', width: 10_000, height: 10_000 }],
    ['png of 65,535 x 1', { width: 65_535, height: 1 }],
    ['png of 16 bits', { depth: 'ushort', width: 40 }],
    ['gif of two frames', { format: 'gif', pages: 2 }],
    ['gif of 10,001 frames', { pages: 10_001 }],
    ['tiff of 3 pages', { format: 'tiff', pages: 3 }],
    ['tiff of one page', { width: 30, height: 20, space: 'b-w' }],
    ['animated webp of 10,001 frames', { format: 'webp', pages: 10_001 }],
    ['jpeg whose orientation is 6', { format: 'jpeg', orientation: 6 }],
    ['picture: jpeg of CMYK', { space: 'cmyk' }],
    ['picture: avif', { format: 'heif', compression: 'av1' }],
    ['picture: tiff of a pyramid', { format: 'tiff' }],
    ['jpeg and ZIP', { format: 'jpeg', width: 64, height: 48 }],
    ['png and ZIP', { format: 'png', width: 64, height: 48 }],
  ])('%s is read as such', async (name, expected) => {
    const metadata = await sharp(entry(name), { limitInputPixels: false }).metadata();
    expect(metadata).toMatchObject(expected);
  });

  it.each([
    'tiff of one page',
    'gif of one pixel',
    'png of 16 bits, grey',
    'png of 1 bit',
    'apng',
    'gif and JavaScript',
    'progressive jpeg of 2,646 scans',
  ])('%s is decoded, broken as it may be', async (name) => {
    const pixels = await sharp(entry(name), { failOn: 'error' }).raw().toBuffer();
    expect(pixels.length).toBeGreaterThan(0);
  });

  it('as a stream of zeros is one, whatever its length', () => {
    for (const length of [0, 1, 65_521, 2 ** 20, 3 * 2 ** 20 + 7]) {
      expect(inflateSync(zlibOfZeros(length)).equals(Buffer.alloc(length))).toBe(true);
    }
  });
});
