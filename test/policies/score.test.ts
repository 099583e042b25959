import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PolicyResult } from '../../src/events/types.generated.ts';
import type { EncodedImage, Scoring, UnitVector } from '../../src/model/clip-encoder.ts';
import type { Policy } from '../../src/policies/bundle.ts';
import { embedBundle } from '../../src/policies/prompt-embeddings.ts';
import { bandOf, scoreImage } from '../../src/policies/score.ts';
import { aRegion } from '../support/builders.ts';
import {
  buildBundle,
  clipScoring,
  readGolden,
  siglipScoring,
  unit,
  WrittenEncoder,
} from '../support/policies.ts';

const region = aRegion();
const seen = (embedding: UnitVector): EncodedImage => ({ embedding, similarities: null });

/** Texts on the unit circle; an image at 0° has with each the cosine of its angle. */
const angles = {
  'a gun': 60,
  'a rifle': 30,
  'a camera': 45,
  'a drill': 90,
  'a sea': 120,
  'a hill': 20,
};
const onCircle = Object.fromEntries(
  Object.entries(angles).map(([text, degrees]) => {
    const angle = (degrees * Math.PI) / 180;
    return [text, [Math.cos(angle), Math.sin(angle)]];
  }),
);
const cos = (text: keyof typeof angles): number => Math.cos((angles[text] * Math.PI) / 180);

async function scoreOne(policy: Partial<Policy>, scoring: Partial<Scoring>): Promise<PolicyResult> {
  const full = { ...clipScoring, logitScale: 10, ...scoring };
  const bundle = await embedBundle(buildBundle(policy), new WrittenEncoder(onCircle, full));
  const [result] = scoreImage(seen(Float32Array.of(1, 0)), bundle, full, region);
  if (!result) throw new Error('no result');
  return result;
}

const guns: Partial<Policy> = {
  prompts: ['a gun', 'a rifle'],
  contrast: ['a drill', 'a camera'],
  neutral: ['a sea'],
};

describe('scoreImage with softmax', () => {
  it("gives the mass of the policy's prompts among prompts, contrast and neutral", async () => {
    const { score } = await scoreOne(guns, {});
    const weigh = (text: keyof typeof angles): number => Math.exp(10 * cos(text));
    const own = weigh('a gun') + weigh('a rifle');
    const all = own + weigh('a drill') + weigh('a camera') + weigh('a sea');
    expect(score).toBeCloseTo(own / all, 6);
  });

  it('names the winning prompt, the strongest contrast and the margin between them', async () => {
    const result = await scoreOne(guns, {});
    expect(result).toMatchObject({ prompt: 'a rifle', contrast: 'a camera', region });
    expect(result.cosine).toBeCloseTo(cos('a rifle'), 6);
    expect(result.margin).toBeCloseTo(cos('a rifle') - cos('a camera'), 6);
  });

  it('counts a neutral prompt as the strongest contrast when it is nearest', async () => {
    const result = await scoreOne({ ...guns, neutral: ['a hill'] }, {});
    expect(result.contrast).toBe('a hill');
    expect(result.margin).toBeCloseTo(cos('a rifle') - cos('a hill'), 6);
  });

  it('stays finite at any logit scale', async () => {
    for (const logitScale of [1e-6, 1e3, 1e6]) {
      const { score } = await scoreOne(guns, { logitScale });
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  it('reproduces the softmax computed by transformers', async () => {
    const { clip } = readGolden();
    const prompts = clip.prompts.slice(0, 6);
    const scoring = { ...clipScoring, logitScale: clip.logitScale };
    // The golden prompts hold the same text in two spellings; numbered here, they stay apart.
    const vectors = Object.fromEntries(
      prompts.map(({ embedding }, i) => [`prompt ${i}`, embedding]),
    );
    const names = Object.keys(vectors);
    const policies = names.map((name, i) => ({
      id: `p-${i}`,
      prompts: [name],
      contrast: names.filter((other) => other !== name),
      neutral: [],
    }));
    const bundle = await embedBundle(
      buildBundle(...policies),
      new WrittenEncoder(vectors, scoring),
    );
    for (const [row, { embedding }] of Object.values(clip.images).entries()) {
      const scores = scoreImage(seen(unit(embedding)), bundle, scoring, region).map(
        ({ score }) => score,
      );
      for (const [column, expected] of (clip.softmaxFirst6Prompts[row] ?? []).entries()) {
        expect(Math.abs((scores[column] ?? NaN) - expected)).toBeLessThan(1e-4);
      }
    }
    expect.assertions(12 * 6);
  });
});

describe('scoreImage with sigmoid', () => {
  const siglip = { ...siglipScoring };
  const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

  it('asks for the best prompt to be probable on its own', async () => {
    const alone = await scoreOne({ ...guns, contrast: [], neutral: [] }, siglip);
    expect(alone.score).toBeCloseTo(sigmoid(10 * cos('a rifle') - 2), 6);
    expect(alone).toMatchObject({ contrast: null, margin: null });
  });

  it('and to be more probable than its strongest alternative', async () => {
    const rivalled = await scoreOne({ ...guns, neutral: ['a hill'] }, siglip);
    expect(rivalled.score).toBeCloseTo(sigmoid(10 * (cos('a rifle') - cos('a hill'))), 6);
    expect(rivalled.score).toBeLessThan(0.5);
  });

  it('does not fire on a prompt that beats its alternatives and is improbable all the same', async () => {
    const improbable = await scoreOne({ ...guns, contrast: [] }, { ...siglip, logitBias: -12 });
    expect(improbable.score).toBeCloseTo(sigmoid(10 * cos('a rifle') - 12), 6);
    expect(improbable.score).toBeLessThan(0.05);
  });

  it('reproduces the sigmoids computed by transformers', async () => {
    const golden = readGolden().siglip;
    const vectors = Object.fromEntries(golden.textEmbeddings.map((vector, i) => [`t${i}`, vector]));
    const scoring = { ...siglip, logitScale: golden.logitScale, logitBias: golden.logitBias };
    const policies = Object.keys(vectors).map((text) => ({
      id: text,
      prompts: [text],
      neutral: [],
    }));
    const bundle = await embedBundle(
      buildBundle(...policies),
      new WrittenEncoder(vectors, scoring),
    );
    for (const [row, { embedding }] of Object.values(golden.images).entries()) {
      const scores = scoreImage(seen(unit(embedding)), bundle, scoring, region).map(
        ({ score }) => score,
      );
      for (const [column, expected] of (golden.sigmoid[row] ?? []).entries()) {
        expect(Math.abs((scores[column] ?? NaN) - expected)).toBeLessThan(1e-5);
      }
    }
    expect.assertions(12 * 3);
  });
});

describe('the cosine floor', () => {
  const sure = { prompts: ['a rifle'], neutral: ['a sea'] };

  it('keeps a policy from firing and leaves its score', async () => {
    const result = await scoreOne(sure, { cosineFloor: 0.9 });
    expect(result).toMatchObject({ band: 'allow', belowFloor: true, cosineFloor: 0.9 });
    expect(result.score).toBeGreaterThan(0.9);
  });

  it.each([
    [0.5, null, 0.5],
    [null, 0.5, 0.5],
    [0.5, 0.7, 0.7],
    [0.7, 0.5, 0.7],
    [null, null, null],
  ])('of a model (%p) is raised by a policy (%p), never lowered', async (model, own, effective) => {
    const result = await scoreOne({ ...sure, cosineFloor: own }, { cosineFloor: model });
    expect(result).toMatchObject({ cosineFloor: effective, band: 'block', belowFloor: false });
  });

  it('is not blamed where the score would not have fired anyway', async () => {
    const result = await scoreOne({ ...sure, neutral: ['a hill'] }, { cosineFloor: 0.9 });
    expect(result).toMatchObject({ band: 'allow', belowFloor: false });
  });
});

describe('bandOf', () => {
  it('is reached at the threshold itself', () => {
    const thresholds = { review: 0.6, block: 0.9 };
    const bands = [0.5999, 0.6, 0.8999, 0.9, 1].map((score) => bandOf(score, thresholds));
    expect(bands).toEqual(['allow', 'review', 'review', 'block', 'block']);
  });

  it('never blocks without a block threshold', () => {
    expect(bandOf(1, { review: 0.6, block: null })).toBe('review');
  });
});

describe('scoreImage', () => {
  it('does not let what a policy scores depend on the others beside it', async () => {
    const encoder = new WrittenEncoder(onCircle);
    const other = { id: 'other', prompts: ['a sea'], contrast: ['a gun'], neutral: ['a hill'] };
    const alone = await embedBundle(buildBundle(guns), encoder);
    const beside = await embedBundle(buildBundle(other, guns), encoder);
    const direction = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true });
    fc.assert(
      fc.property(direction, (angle) => {
        const image = unit([Math.cos(angle), Math.sin(angle)]);
        expect(scoreImage(seen(image), beside, clipScoring, region)[1]).toEqual(
          scoreImage(seen(image), alone, clipScoring, region)[0],
        );
      }),
    );
  });

  it('lists every policy that is not off, in bundle order', async () => {
    const bundle = await embedBundle(
      buildBundle(
        { ...guns, id: 'b', mode: 'shadow' },
        { ...guns, id: 'x', mode: 'off' },
        { ...guns, id: 'a' },
      ),
      new WrittenEncoder(onCircle),
    );
    const results = scoreImage(seen(Float32Array.of(1, 0)), bundle, clipScoring, region);
    expect(results.map(({ id, mode }) => [id, mode])).toEqual([
      ['b', 'shadow'],
      ['a', 'enforce'],
    ]);
  });

  it.each([
    [Float32Array.of(NaN, 0), 'inference_failed'],
    [Float32Array.of(1, Infinity), 'inference_failed'],
    [Float32Array.of(1, 0, 0), 'model_mismatch'],
  ])('never scores the embedding %p', async (embedding, code) => {
    const bundle = await embedBundle(buildBundle(guns), new WrittenEncoder(onCircle));
    expect(() => scoreImage(seen(embedding), bundle, clipScoring, region)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
