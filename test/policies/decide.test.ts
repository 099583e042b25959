import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Band } from '../../src/events/types.generated.ts';
import { decide, requestedOnError } from '../../src/policies/decide.ts';
import { bandOf } from '../../src/policies/score.ts';
import { buildBundle, buildResult } from '../support/policies.ts';

const strength = (band: Band): number => ['allow', 'review', 'block'].indexOf(band);
const score = fc.double({ min: 0, max: 1, noNaN: true });
const thresholds = fc
  .tuple(score, fc.option(score))
  .filter(([review, block]) => block === null || block > review)
  .map(([review, block]) => ({ review, block }));
const mode = fc.constantFrom('enforce' as const, 'shadow' as const);
const result = fc
  .record({ mode, score, thresholds })
  .map((given) => buildResult({ ...given, band: bandOf(given.score, given.thresholds) }));
const results = fc.array(result, { maxLength: 6 });

describe('decide', () => {
  it('lets block prevail over review and review over allow', () => {
    const of = (...bands: Band[]): Band => decide(bands.map((band) => buildResult({ band })));
    expect(of('review', 'block', 'allow')).toBe('block');
    expect(of('allow', 'review')).toBe('review');
    expect(of('allow')).toBe('allow');
    expect(of()).toBe('allow');
  });

  it('hears no shadow policy', () => {
    fc.assert(
      fc.property(results, result, fc.nat(), (all, added, at) => {
        const more = all.toSpliced(at % (all.length + 1), 0, { ...added, mode: 'shadow' });
        expect(decide(more)).toBe(decide(all));
      }),
    );
  });

  it('gives no milder outcome when a score rises', () => {
    fc.assert(
      fc.property(results, fc.nat(), score, (all, at, raised) => {
        const risen = all.map((each, index) => {
          if (index !== at % all.length || raised < each.score) return each;
          return { ...each, score: raised, band: bandOf(raised, each.thresholds) };
        });
        expect(strength(decide(risen))).toBeGreaterThanOrEqual(strength(decide(all)));
      }),
    );
  });

  it('does not depend on the order of policies', () => {
    fc.assert(
      fc.property(
        results.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          expect(decide(shuffled)).toBe(decide(all));
        },
      ),
    );
  });
});

describe('requestedOnError', () => {
  it('is the strongest that an enforced policy asks for', () => {
    const bundle = buildBundle(
      { id: 'a', onError: 'allow' },
      { id: 'b', onError: 'review' },
      { id: 'c', onError: 'block', mode: 'shadow' },
      { id: 'd', onError: 'block', mode: 'off' },
    );
    expect(requestedOnError(bundle)).toBe('review');
  });

  it('is allow where no policy is enforced', () => {
    expect(requestedOnError(buildBundle({ mode: 'shadow', onError: 'block' }))).toBe('allow');
  });
});
