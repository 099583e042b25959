import { describe, expect, it } from '@jest/globals';
import type { ImageFacts, ListMatch, Region } from '../../src/events/types.generated.ts';
import {
  comparisonOf,
  decimal,
  decisiveResult,
  listText,
  placeText,
  scoreText,
  signed,
} from '../../src/report/decisive.ts';
import { aPolicyResult, aRegion, aVerdict } from '../support/builders.ts';

const block = aPolicyResult({ id: 'firearms', band: 'block', score: 0.93 });
const review = aPolicyResult({ id: 'alcohol', band: 'review', score: 0.89 });
const shadow = aPolicyResult({ id: 'pets', band: 'block', score: 0.99, mode: 'shadow' });
const quiet = aPolicyResult({ id: 'knives', band: 'allow', score: 0.4 });

describe('the decisive policy', () => {
  it('is the strongest enforced one of those that asked for the outcome', () => {
    const stronger = aPolicyResult({ id: 'wild-animals', band: 'block', score: 0.97 });
    const policies = [shadow, review, block, stronger];
    expect(decisiveResult(aVerdict({ outcome: 'block', policies }))?.id).toBe('wild-animals');
    expect(decisiveResult(aVerdict({ outcome: 'review', policies: [shadow, review] }))?.id).toBe(
      'alcohol',
    );
  });

  it('is the one nearest to its threshold when nothing fired', () => {
    const nearer = aPolicyResult({
      band: 'allow',
      score: 0.35,
      thresholds: { review: 0.4, block: null },
    });
    const verdict = aVerdict({ outcome: 'allow', policies: [quiet, nearer, shadow] });
    expect(decisiveResult(verdict)).toBe(nearer);
  });

  it('is nobody when every policy is in shadow', () => {
    expect(decisiveResult(aVerdict({ outcome: 'allow', policies: [shadow] }))).toBeNull();
  });
});

describe('a score beside its threshold', () => {
  it.each([
    [block, { sign: '≥', threshold: 0.9 }],
    [review, { sign: '≥', threshold: 0.6 }],
    [quiet, { sign: '<', threshold: 0.6 }],
  ])('is compared with the one that made its band', (result, comparison) => {
    expect(comparisonOf(result)).toEqual(comparison);
  });

  it('never reads as a threshold that it did not reach', () => {
    expect(scoreText(0.899999)).toBe('0.89');
    expect(scoreText(0.9)).toBe('0.90');
    expect(scoreText(0.29)).toBe('0.29');
    expect(scoreText(1)).toBe('1.00');
  });
});

describe('numbers', () => {
  it.each([
    [0.094, '+0.09'],
    [-0.021, '−0.02'],
    [-0.0001, '0.00'],
  ])('%d has its sign', (value, text) => expect(signed(value)).toBe(text));

  it('have no negative nought', () => {
    expect(decimal(-0.0001, 2)).toBe('0.00');
    expect(decimal(-0.5, 1)).toBe('−0.5');
  });
});

describe('where a result was found', () => {
  const of = (region: Partial<Region>, frames = 1): string | null =>
    placeText(
      aPolicyResult({ region: aRegion(region) }),
      aVerdict({ image: { ...(aVerdict().image as ImageFacts), frames } }),
    );
  const box = { left: 0, top: 300, width: 40, height: 40 };

  it.each<[string | null, Partial<Region>, number]>([
    [null, {}, 1],
    [null, { background: 'white' }, 1],
    ['frame 4 of 12', { frame: 3 }, 12],
    ['tile at 0, 300', { crop: 'tile', box }, 1],
    ['detail at 0, 300', { crop: 'detail', box }, 1],
    ['over black', { background: 'black' }, 1],
    ['under its transparency', { background: 'none' }, 1],
    ['frame 1 of 2, tile at 0, 300', { crop: 'tile', box }, 2],
  ])('is %s', (text, region, frames) => {
    expect(of(region, frames)).toBe(text);
  });
});

describe('the list that decided', () => {
  const match: ListMatch = {
    list: 'known-bad',
    kind: 'block',
    mode: 'enforce',
    entry: '17',
    by: 'pdq',
    distance: 2,
    policies: null,
  };

  it('is told with how near the image is to its entry', () => {
    expect(listText(match)).toBe('block list "known-bad", entry 17 (2 bits away)');
    expect(listText({ ...match, by: 'sha256', distance: 0 })).toContain('(the same bytes)');
  });
});
