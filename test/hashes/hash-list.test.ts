import { describe, expect, it } from '@jest/globals';
import { HashList, type ListEntry, type ListSpec } from '../../src/hashes/hash-list.ts';
import { blockList, fileHash, nearly, picture } from '../support/hash-lists.ts';

const match = (entries: ListEntry[], spec: Partial<ListSpec> = {}) => {
  const list = new HashList(blockList(spec), entries);
  return (image: Parameters<HashList['match']>[0]) => list.match(image);
};

const known = { pdq: picture(1), sha256: fileHash(1), id: 'one' };

describe('a list', () => {
  it('knows the very file, whatever its quality', () => {
    const image = { sha256: fileHash(1), pdq: { ...nearly(1, 0), quality: 0 } };
    expect(match([known])(image)).toEqual({
      list: 'known',
      kind: 'block',
      mode: 'enforce',
      entry: 'one',
      by: 'sha256',
      distance: 0,
      policies: null,
    });
  });

  it('knows a picture up to its distance', () => {
    const known31 = match([known]);
    const image = (bits: number) => ({ sha256: fileHash(9), pdq: nearly(1, bits) });
    expect(known31(image(31))).toMatchObject({ by: 'pdq', distance: 31, entry: 'one' });
    expect(known31(image(32))).toBeNull();
    expect(match([known], { distance: 10 })(image(11))).toBeNull();
  });

  it('knows no picture of a quality below 50', () => {
    const image = (quality: number) => ({ sha256: '', pdq: { ...nearly(1, 0), quality } });
    expect(match([known])(image(49))).toBeNull();
    expect(match([known])(image(50))).not.toBeNull();
  });

  it('knows by their files alone those whose picture was not hashed', () => {
    expect(match([known])({ sha256: fileHash(9), pdq: null })).toBeNull();
  });

  it('names an entry without an id by its hash', () => {
    const both = match([{ pdq: picture(1) }, { sha256: fileHash(2) }]);
    expect(both({ sha256: '', pdq: nearly(1, 3) })?.entry).toBe(picture(1));
    expect(both({ sha256: fileHash(2), pdq: null })?.entry).toBe(fileHash(2));
  });

  it('prefers the nearest', () => {
    const two = [
      { pdq: picture(1, 9), id: 'far' },
      { pdq: picture(1, 2), id: 'near' },
    ];
    expect(match(two)({ sha256: '', pdq: nearly(1, 0) })?.entry).toBe('near');
  });

  it('is the same, and answers the same, whatever the order of its entries', () => {
    const entries: ListEntry[] = [known, { ...known, id: 'two' }, { pdq: picture(3) }, known];
    const [there, back] = [entries, entries.toReversed()].map(
      (each) => new HashList(blockList(), each),
    );
    expect(back?.version).toBe(there?.version);
    expect(there?.size).toBe(3);
    for (const image of [
      { sha256: fileHash(1), pdq: null },
      { sha256: '', pdq: nearly(1, 0) },
    ]) {
      expect(back?.match(image)).toEqual(there?.match(image));
    }
  });

  it('is another when anything is that a match depends on', () => {
    const versions = [
      new HashList(blockList(), [known]),
      new HashList(blockList({ mode: 'shadow' }), [known]),
      new HashList(blockList({ distance: 30 }), [known]),
      new HashList(blockList({ id: 'other' }), [known]),
      new HashList(blockList({ kind: 'negative' }), [known]),
      new HashList(blockList({ kind: 'negative', policies: ['a'] }), [known]),
      new HashList(blockList(), [{ ...known, id: 'two' }]),
      new HashList(blockList(), []),
    ].map(({ version }) => version);
    expect(new Set(versions).size).toBe(versions.length);
    expect(new HashList(blockList(), [{ ...known, note: 'a note' }]).version).toBe(versions[0]);
  });
});
