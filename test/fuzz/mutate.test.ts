import { beforeAll, describe, expect, it } from '@jest/globals';
import { caseOf, type CaseSource } from '../../fuzz/cases.ts';
import { entriesOf } from '../../fuzz/corpus/entry.ts';
import { gifEntries } from '../../fuzz/corpus/gif.ts';
import { makePictures, type Pictures } from '../../fuzz/corpus/pictures.ts';
import { tiffEntries } from '../../fuzz/corpus/tiff.ts';
import { Dice } from '../../fuzz/dice.ts';
import { MUTATIONS } from '../../fuzz/mutate.ts';
import { partsOf, repairPng } from '../../fuzz/parts.ts';
import { sniffFormat } from '../../src/images/sniff-format.ts';

let pictures: Pictures;
let source: CaseSource;
beforeAll(async () => {
  pictures = await makePictures();
  const { jpeg, png } = pictures;
  const corpus = [
    ...entriesOf('jpeg', { jpeg }),
    ...entriesOf('png', { png }),
    ...gifEntries().filter(({ bytes }) => bytes.length < 1_000),
    ...tiffEntries().filter(({ bytes }) => bytes.length < 1_000),
  ];
  source = { corpus, seed: 3 };
});

const SOME = Array.from({ length: 300 }, (_, index) => index);

describe('a case', () => {
  it('is the same for the same seed and number, in whatever order they are drawn', () => {
    const forwards = SOME.map((number) => caseOf(source, number));
    const backwards = SOME.toReversed().map((number) => caseOf(source, number));
    expect(backwards.reverse()).toEqual(forwards);
  });

  it('is another one for another seed', () => {
    const other = { ...source, seed: 4 };
    const mutants = SOME.filter((number) => number >= source.corpus.length);
    const same = mutants.filter((n) => caseOf(source, n).bytes.equals(caseOf(other, n).bytes));
    expect(same.length).toBeLessThan(mutants.length / 20);
  });

  it('is first of all each file of the corpus as it is, once', () => {
    const names = source.corpus.map((_, number) => caseOf(source, number).name);
    expect(names.sort()).toEqual(source.corpus.map(({ name }) => name).sort());
  });

  it('leaves the corpus as it was', () => {
    const before = source.corpus.map(({ bytes }) => Buffer.from(bytes));
    SOME.forEach((number) => caseOf(source, number));
    expect(source.corpus.map(({ bytes }) => bytes)).toEqual(before);
  });
});

describe('every mutation', () => {
  it.each(Object.keys(MUTATIONS))('%s takes any bytes, one byte too', (name) => {
    const mutation = MUTATIONS[name];
    const files = [...Object.values(pictures), Buffer.from([0xff]), Buffer.alloc(100, 0xff)];
    let changed = 0;
    for (const [index, file] of files.entries()) {
      for (let seed = 1; seed <= 20; seed += 1) {
        const other = files[(index + seed) % files.length] ?? file;
        const mutant = mutation?.(file, new Dice(seed, index), other);
        expect(mutant).toBeInstanceOf(Uint8Array);
        if (mutant && !mutant.equals(file)) changed += 1;
      }
    }
    expect(changed).toBeGreaterThan(files.length * 10);
  });
});

describe('the parts of a picture', () => {
  it('cover every whole file from its first part to its end, but for what lies between entries', () => {
    for (const [name, bytes] of Object.entries(pictures)) {
      const parts = partsOf(bytes);
      expect({ name, parts: parts.length > 1 }).toEqual({ name, parts: true });
      for (const { start, content, end, fields } of parts) {
        expect(start).toBeLessThan(end);
        expect(content).toBeLessThanOrEqual(end);
        expect(end).toBeLessThanOrEqual(bytes.length);
        expect(fields.every(({ at, bytes: size }) => at + size <= bytes.length)).toBe(true);
      }
      if (['png', 'webp', 'gif'].includes(sniffFormat(bytes) ?? '')) {
        const gaps = parts.slice(1).filter(({ start }, index) => start !== parts[index]?.end);
        expect({ name, gaps }).toEqual({ name, gaps: [] });
      }
    }
  });

  it('of a PNG have the checksum that a decoder demands, once it is repaired', () => {
    const png = Buffer.from(pictures.png);
    const before = Buffer.from(png);
    png.writeUInt32BE(1, 16); // the width
    repairPng(png);
    expect(png.subarray(29, 33)).not.toEqual(before.subarray(29, 33));
    png.writeUInt32BE(before.readUInt32BE(16), 16);
    repairPng(png);
    expect(png).toEqual(before);
  });
});
