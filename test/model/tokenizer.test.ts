import { beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { TextSpec } from '../../src/model/model-folder.ts';
import { loadTokenizer, type TextTokenizer } from '../../src/model/tokenizer.ts';
import { packageFile } from '../../src/package-files.ts';
import { modelFolder, PARITY, parityFolder, readJson, writeJson } from '../support/onnx-models.ts';

const END = 49407;
const clip: TextSpec = {
  maxLength: 77,
  padTo: 'longest',
  padId: null,
  fallbackPadId: null,
  lowercase: false,
};
const spec = (parts: Partial<TextSpec>): TextSpec => ({ ...clip, ...parts });
const numbers = (ids: BigInt64Array): number[] => Array.from(ids, Number);

describe('CLIP tokens', () => {
  let tokenizer: TextTokenizer;
  beforeAll(async () => {
    tokenizer = await loadTokenizer(join(PARITY, 'tiny-clip'), clip);
  });

  it('are those of the reference tokenizer for every golden text', async () => {
    const golden = await readJson<{ clip: { prompts: { text: string; ids: number[] }[] } }>(
      PARITY,
      'golden.json',
    );
    expect(golden.clip.prompts).toHaveLength(20);
    for (const { text, ids } of golden.clip.prompts) expect(tokenizer.tokenize(text)).toEqual(ids);
  });

  it('keep the end token when a text is cut to 77', () => {
    const ids = tokenizer.tokenize('word '.repeat(500));
    expect(ids).toHaveLength(77);
    expect(ids.at(-1)).toBe(END);
  });

  it('are padded to the longest text of the call, and masked there', () => {
    const batch = tokenizer.batch(['a cat', 'a photo of a cat']);
    expect(batch).toMatchObject({ count: 2, length: 7 });
    expect(numbers(batch.ids).slice(4, 7)).toEqual([END, END, END]);
    expect(numbers(batch.mask).slice(0, 7)).toEqual([1, 1, 1, 1, 0, 0, 0]);
  });
});

describe('SigLIP tokens', () => {
  it('are padded to 64 with the id that the tokenizer names', async () => {
    const folder = await parityFolder('tiny-siglip');
    const siglip = spec({ maxLength: 64, padTo: 'max' });
    const batch = (await loadTokenizer(folder, siglip)).batch(['t5 t6']);
    expect(batch.length).toBe(64);
    expect(numbers(batch.ids)).toEqual([5, 6, ...Array.from({ length: 62 }, () => 1)]);
  });
});

describe('the starter model', () => {
  it('is given BERT tokens, at most 128', async () => {
    const tokenizer = await loadTokenizer(packageFile('models/starter'), spec({ maxLength: 128 }));
    const ids = tokenizer.tokenize('A photo of a Cat '.repeat(60));
    expect(ids).toHaveLength(128);
    expect([ids[0], ids.at(-1)]).toEqual([101, 102]);
    expect(tokenizer.tokenize('A PHOTO')).toEqual(tokenizer.tokenize('a photo'));
  });
});

describe('padding', () => {
  it('goes to the left where the tokenizer says so', async () => {
    const folder = await modelFolder({
      tokenizerConfig: { pad_token: '<pad>', padding_side: 'left' },
    });
    const batch = (await loadTokenizer(folder, clip)).batch(['cat', 'a photo']);
    expect(numbers(batch.ids)).toEqual([0, 2, 5, 3, 2, 4, 7, 3]);
    expect(numbers(batch.mask)).toEqual([0, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('is what moderato.json says before anything else', async () => {
    const tokenizer = await loadTokenizer(await modelFolder(), spec({ padId: 6 }));
    expect(numbers(tokenizer.batch(['cat', 'a photo']).ids)[3]).toBe(6);
  });

  it('is not guessed: a folder that names no pad token is refused', async () => {
    const folder = await modelFolder({ tokenizerConfig: null });
    await expect(loadTokenizer(folder, clip)).rejects.toMatchObject({ code: 'model_invalid' });
  });
});

it('lower-cases texts for a model that was trained on such', async () => {
  const tokenizer = await loadTokenizer(await modelFolder(), spec({ lowercase: true }));
  expect(tokenizer.tokenize('A CAT')).toEqual([2, 4, 5, 3]);
});

it('refuses a file that is no tokenizer, naming it', async () => {
  const folder = await modelFolder();
  await writeJson(folder, 'tokenizer.json', { model: { type: 'Guesswork' } });
  await expect(loadTokenizer(folder, clip)).rejects.toMatchObject({
    code: 'model_invalid',
    message: expect.stringContaining('tokenizer.json') as unknown,
  });
});
