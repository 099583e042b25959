import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { embedBundle } from '../../src/policies/prompt-embeddings.ts';
import { scoreViews, type EmbeddedView } from '../../src/policies/score-views.ts';
import { aRegion } from '../support/builders.ts';
import { buildBundle, clipScoring, unit, WrittenEncoder } from '../support/policies.ts';

const text = new WrittenEncoder({ 'a gun': [1, 0], 'a landscape': [0, 1] });
const bundleOf = (corroboration: number) =>
  embedBundle(
    buildBundle({
      prompts: ['a gun'],
      neutral: ['a landscape'],
      thresholds: { review: 0.5, block: 0.9 },
      corroboration,
    }),
    text,
  );

/** `gun` is how much the view looks like one, in degrees away from it. */
const view = (frame: number, degrees: number, region = {}): EmbeddedView => {
  const angle = (degrees * Math.PI) / 180;
  return {
    region: aRegion({ frame, ...region }),
    embedding: unit([Math.cos(angle), Math.sin(angle)]),
  };
};
const GUN = 0;
const MAYBE = 40;
const SEA = 90;
const scoring = { ...clipScoring, logitScale: 10 };

const decided = async (views: EmbeddedView[], corroboration = 1) =>
  scoreViews(views, await bundleOf(corroboration), scoring)[0];

describe('of several views', () => {
  it('the strongest decides and is named', async () => {
    const tile = { crop: 'tile', box: { left: 0, top: 90, width: 40, height: 40 } };
    const result = await decided([view(0, SEA), view(0, GUN, tile), view(0, MAYBE)]);
    expect(result).toMatchObject({ band: 'block', region: { frame: 0, ...tile } });
  });

  it('the band goes before the score, for a floor may keep the higher score from firing', async () => {
    const bundle = await bundleOf(1);
    const short = { region: aRegion({ frame: 1 }), embedding: unit([1, -4]) };
    const floored = { ...scoring, cosineFloor: 0.5 };
    const [result] = scoreViews([short, view(2, MAYBE)], bundle, floored);
    expect(result).toMatchObject({ band: 'review', region: { frame: 2 } });
  });

  it('one alone is taken as it is', async () => {
    expect(await decided([view(0, SEA)])).toMatchObject({ band: 'allow', region: { frame: 0 } });
  });
});

describe('the score of several views', () => {
  const odds = (result: { score: number } | undefined): number => {
    const { score } = result ?? { score: NaN };
    return score / (1 - score);
  };

  it('has the odds of one by their number where the others say nothing', async () => {
    const alone = odds(await decided([view(0, MAYBE)]));
    expect(odds(await decided([view(0, MAYBE), view(0, SEA)]))).toBeCloseTo(alone / 2, 9);
    expect(odds(await decided([view(0, MAYBE), view(0, SEA), view(0, SEA)]))).toBeCloseTo(
      alone / 3,
      9,
    );
  });

  it('is that of one where all agree, so that more looks do not hide what each of them sees', async () => {
    const alone = odds(await decided([view(0, MAYBE)]));
    const many = Array.from({ length: 6 }, (_, frame) => view(frame, MAYBE));
    expect(odds(await decided(many))).toBeCloseTo(alone, 9);
    expect(
      odds(await decided(many.map(({ embedding }) => ({ ...view(0, 0), embedding })))),
    ).toBeCloseTo(alone, 9);
  });

  it('never says more than the strongest of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ frame: fc.nat(3), degrees: fc.nat(90) }), { minLength: 1 }),
        fc.integer({ min: 1, max: 3 }),
        async (looks, corroboration) => {
          const views = looks.map(({ frame, degrees }) => view(frame, degrees));
          const each = await Promise.all(views.map((one) => decided([one])));
          const strongest = Math.max(...each.map((result) => result?.score ?? NaN));
          const result = await decided(views, corroboration);
          expect(result?.score).toBeLessThanOrEqual(strongest + 1e-12);
        },
      ),
    );
  });
});

describe('what is seen only without its alpha', () => {
  const hidden = { background: 'none' } as const;

  it('asks for a review, however sure', async () => {
    const result = await decided([view(0, SEA, { background: 'white' }), view(0, GUN, hidden)]);
    expect(result).toMatchObject({ band: 'review', region: hidden });
  });

  it('does not take away from what is seen with it', async () => {
    const result = await decided([view(0, GUN, { background: 'white' }), view(0, SEA, hidden)]);
    expect(result).toMatchObject({ band: 'block', region: { background: 'white' } });
  });
});

describe('of several frames', () => {
  it('one is enough where nothing else is said, and is named', async () => {
    const result = await decided([view(0, SEA), view(7, GUN), view(14, SEA)]);
    expect(result).toMatchObject({ band: 'block', region: { frame: 7 } });
  });

  it('two must agree where the policy wants two: one alone is not believed', async () => {
    const one = [view(0, SEA), view(7, GUN), view(14, SEA)];
    expect(await decided(one, 2)).toMatchObject({ band: 'allow' });
    expect(await decided([...one, view(20, GUN)], 2)).toMatchObject({ band: 'block' });
  });

  it('they agree on the weaker band', async () => {
    const result = await decided([view(0, GUN), view(7, MAYBE), view(14, SEA)], 2);
    expect(result).toMatchObject({ band: 'review', region: { frame: 7 } });
  });

  it('two views of one frame are no two frames', async () => {
    const views = [view(0, GUN), view(0, GUN, { crop: 'tile' }), view(7, SEA)];
    expect(await decided(views, 2)).toMatchObject({ band: 'allow' });
  });

  it('a picture with fewer frames than must agree is judged by all it has', async () => {
    expect(await decided([view(0, GUN)], 3)).toMatchObject({ band: 'block' });
  });
});
