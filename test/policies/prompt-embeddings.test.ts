import { describe, expect, it } from '@jest/globals';
import { embedBundle, NEUTRAL_PROMPTS } from '../../src/policies/prompt-embeddings.ts';
import {
  buildBundle,
  clipScoring,
  siglipScoring,
  unit,
  WrittenEncoder,
} from '../support/policies.ts';

const builtIn = Object.fromEntries(NEUTRAL_PROMPTS.map((text) => [text, [1, 1, 1]]));

function rowOf(matrix: Float32Array, row: number | undefined, dimensions: number): number[] {
  const start = (row ?? NaN) * dimensions;
  return [...matrix.subarray(start, start + dimensions)];
}

describe('embedBundle', () => {
  it('normalises each templated text, takes their mean and normalises that', async () => {
    const encoder = new WrittenEncoder({ 'a photo of a gun': [3, 4], 'a gun': [1, 0] });
    const bundle = buildBundle({
      templates: ['a photo of {}', '{}'],
      neutral: [],
      contrast: ['a gun'],
    });
    const embedded = await embedBundle(bundle, encoder);
    const expected = unit([(0.6 + 1) / 2, 0.8 / 2]);
    const row = rowOf(embedded.matrix, embedded.policies[0]?.prompts.rows[0], 2);
    expect(row[0]).toBeCloseTo(expected[0] ?? NaN, 6);
    expect(row[1]).toBeCloseTo(expected[1] ?? NaN, 6);
  });

  it('weighs every template alike when the encoder gives vectors of other lengths', async () => {
    const encoder = new WrittenEncoder({ 'a gun': [1, 0], 'the gun': [0, 1] });
    const encodeTexts = async (texts: readonly string[]): Promise<Float32Array[]> =>
      (await encoder.encodeTexts(texts)).map((vector, i) => vector.map((x) => x * (i + 1) * 3));
    const bundle = buildBundle({
      prompts: ['gun'],
      templates: ['a {}', 'the {}'],
      neutral: ['a gun'],
    });
    const embedded = await embedBundle(bundle, { info: encoder.info, encodeTexts });
    const [x, y] = rowOf(embedded.matrix, embedded.policies[0]?.prompts.rows[0], 2);
    expect(x).toBeCloseTo(y ?? NaN, 6);
  });

  it('asks for every distinct text once, in batches', async () => {
    const words = Array.from({ length: 40 }, (_, i) => `thing ${i}`);
    const vectors = Object.fromEntries(words.map((text) => [text, [1, 2]]));
    const encoder = new WrittenEncoder(vectors);
    await embedBundle(
      buildBundle(
        { id: 'a', prompts: words.slice(0, 30), neutral: ['thing 39'] },
        { id: 'b', prompts: ['thing 0'], contrast: words.slice(20), neutral: ['thing 39'] },
      ),
      encoder,
    );
    expect(encoder.calls.flat().toSorted()).toEqual(words.toSorted());
    expect(encoder.calls).toHaveLength(2);
  });

  it('shares one set of neutral prompts, and takes them as they are', async () => {
    const encoder = new WrittenEncoder({ '<a gun>': [1, 0], '<a knife>': [1, 1], 'a sea': [0, 1] });
    const embedded = await embedBundle(
      buildBundle(
        { id: 'a', templates: ['<{}>'], neutral: ['a sea'] },
        { id: 'b', templates: ['<{}>'], neutral: ['a sea'], prompts: ['a knife'] },
      ),
      encoder,
    );
    expect(embedded.neutrals.map(({ texts }) => texts)).toEqual([['a sea']]);
    expect(embedded.policies.map(({ neutral }) => neutral)).toEqual([0, 0]);
    expect(embedded.matrix).toHaveLength(3 * 2);
  });

  it("takes the policy's neutral prompts, else the model's, else its own", async () => {
    const vectors = { 'a gun': [1, 0, 0], 'a sea': [0, 1, 0], 'a hill': [0, 0, 1], ...builtIn };
    const bundle = buildBundle({ id: 'a' }, { id: 'b', neutral: ['a sea'] });
    const stated = new WrittenEncoder(vectors, { ...clipScoring, neutralPrompts: ['a hill'] });
    const silent = new WrittenEncoder(vectors);
    const neutralOf = async (encoder: WrittenEncoder): Promise<unknown> =>
      (await embedBundle(bundle, encoder)).neutrals.map(({ texts }) => texts);
    expect(await neutralOf(stated)).toEqual([['a hill'], ['a sea']]);
    expect(await neutralOf(silent)).toEqual([[...NEUTRAL_PROMPTS], ['a sea']]);
  });

  it('leaves out policies that are off', async () => {
    const encoder = new WrittenEncoder({ 'a gun': [1, 0, 0], ...builtIn });
    const bundle = buildBundle({ id: 'on' }, { id: 'off', mode: 'off', prompts: ['unwritten'] });
    const embedded = await embedBundle(bundle, encoder);
    expect(embedded.policies.map(({ policy }) => policy.id)).toEqual(['on']);
  });

  it('puts a prompt with $ signs in as it is', async () => {
    const encoder = new WrittenEncoder({ 'a pile of $& and $1': [1, 0], 'a sea': [0, 1] });
    const bundle = buildBundle({
      prompts: ['$& and $1'],
      templates: ['a pile of {}'],
      neutral: ['a sea'],
    });
    await expect(embedBundle(bundle, encoder)).resolves.toBeDefined();
  });

  it('refuses a policy that a softmax would always give the score 1', async () => {
    const bundle = buildBundle({ contrast: [], neutral: [] });
    const vectors = { 'a gun': [1, 0] };
    await expect(embedBundle(bundle, new WrittenEncoder(vectors))).rejects.toMatchObject({
      code: 'bundle_invalid',
    });
    const siglip = new WrittenEncoder(vectors, siglipScoring);
    await expect(embedBundle(bundle, siglip)).resolves.toBeDefined();
  });
});
