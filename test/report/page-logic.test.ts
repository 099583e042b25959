import { describe, expect, it } from '@jest/globals';
import { compare, matches, type Filters, type PageEntry } from '../../src/report/page-logic.ts';

const anEntry = (overrides: Partial<PageEntry> = {}): PageEntry => ({
  file: 'a.jpg',
  outcome: 'block',
  search: 'listings/motorcycle.jpg block motor vehicles a motorcycle',
  rank: 0,
  scores: {
    cars: { score: 0.97, band: 'block' },
    pets: { score: 0.1, band: 'allow' },
  },
  ...overrides,
});

describe('the filters of the report', () => {
  it.each<[string, Partial<Filters>, boolean]>([
    ['nothing', {}, true],
    ['its outcome', { outcomes: ['review', 'block'] }, true],
    ['another outcome', { outcomes: ['allow'] }, false],
    ['words in any order and case', { text: 'MOTORCYCLE listings' }, true],
    ['a word it lacks', { text: 'motorcycle boat' }, false],
    ['a policy that scored it', { policy: 'pets' }, true],
    ['a policy that did not', { policy: 'knives' }, false],
    ['a band that some policy gave', { band: 'block' }, true],
    ['a band that no policy gave', { band: 'review' }, false],
    ['a policy that fired', { policy: 'cars', band: 'fired' }, true],
    ['a policy that did not fire, though another did', { policy: 'pets', band: 'fired' }, false],
    ['one thing that fits and one that does not', { policy: 'cars', text: 'boat' }, false],
  ])('asked for %s', (_, filters, shown) => {
    const asked = { outcomes: [], policy: '', band: '', text: '', ...filters };
    expect(matches(anEntry(), asked)).toBe(shown);
  });
});

describe('the orders of the report', () => {
  const entries = [
    anEntry({ file: 'b.jpg', rank: 0, scores: { cars: { score: 0.2, band: 'allow' } } }),
    anEntry({ file: 'c.jpg', rank: 1, scores: { cars: { score: 0.9, band: 'block' } } }),
    anEntry({ file: 'a.jpg', rank: 2, scores: {} }),
    anEntry({ file: 'd.jpg', rank: 3, scores: { cars: { score: 0.2, band: 'allow' } } }),
  ];
  it.each([
    ['severity', ['b.jpg', 'c.jpg', 'a.jpg', 'd.jpg']],
    ['file', ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg']],
    ['score:cars', ['c.jpg', 'b.jpg', 'd.jpg', 'a.jpg']],
  ])('by %s', (by, files) => {
    expect(entries.toSorted((a, b) => compare(a, b, by)).map(({ file }) => file)).toEqual(files);
  });
});
