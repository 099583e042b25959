import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LetterIndex, type IndexedLetter } from '../../src/dead-letters/letter-index.ts';

const letters = fc.uniqueArray(
  fc.record({
    partition: fc.nat(2),
    offset: fc.nat(40),
    failedAt: fc.nat(),
    redriven: fc.boolean(),
    code: fc.constantFrom('event_empty', 'event_invalid', undefined),
    topic: fc.constantFrom('images', 'uploads', undefined),
    isWhole: fc.boolean(),
  }),
  { selector: ({ partition, offset }) => `${partition}/${offset}` },
);

it('gives back what was added, and knows which were redriven', () => {
  fc.assert(
    fc.property(letters, (some) => {
      const index = new LetterIndex();
      const ascending = some.toSorted((a, b) => a.offset - b.offset);
      for (const letter of ascending) {
        index.add({ ...letter, redriven: false });
        if (letter.redriven) index.markRedriven(letter);
      }
      const byPosition = (a: IndexedLetter, b: IndexedLetter): number =>
        a.partition - b.partition || a.offset - b.offset;
      expect([...index].sort(byPosition)).toEqual(some.toSorted(byPosition));
      for (const letter of some) expect(index.get(letter)).toEqual(letter);
    }),
  );
});

it('forgets notes of letters that it does not have', () => {
  const index = new LetterIndex();
  index.markRedriven({ partition: 0, offset: 1 });
  const kind = { code: 'c', topic: 't', isWhole: true };
  const letter = { partition: 0, offset: 2, failedAt: 0, redriven: false, ...kind };
  index.add(letter);
  index.markRedriven({ partition: 0, offset: 1 });
  expect([...index]).toEqual([letter]);
  expect(index.get({ partition: 0, offset: 1 })).toBeUndefined();
});
