import { describe, expect, it } from '@jest/globals';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { preprocessorSchema, toPreprocessSpec } from '../../src/model/preprocess-spec.ts';
import { packageFile } from '../../src/package-files.ts';
import { modelFolder, PARITY, writeJson } from '../support/onnx-models.ts';

const spec = (config: object): ReturnType<typeof toPreprocessSpec> =>
  toPreprocessSpec(preprocessorSchema.parse(config), 'preprocessor_config.json');

const CLIP = {
  image_processor_type: 'CLIPImageProcessor',
  size: { shortest_edge: 224 },
  crop_size: { height: 224, width: 224 },
  resample: 3,
};
const SIGLIP = {
  image_processor_type: 'SiglipImageProcessor',
  size: { height: 256, width: 256 },
  resample: 2,
};

describe('preprocessing', () => {
  it('is shortest edge, crop and bicubic for CLIP', () => {
    expect(spec(CLIP)).toMatchObject({
      mode: 'shortest-edge-crop',
      resizeTo: 224,
      width: 224,
      height: 224,
      kernel: 'bicubic',
      mean: [0.48145466, 0.4578275, 0.40821073],
      rescale: 1 / 255,
    });
  });

  it('is squash for SigLIP', () => {
    expect(spec(SIGLIP)).toMatchObject({
      mode: 'squash',
      width: 256,
      height: 256,
      kernel: 'bilinear',
      mean: [0.5, 0.5, 0.5],
    });
  });

  it('understands sizes given as one number', () => {
    expect(spec({ ...CLIP, size: 224, crop_size: 224 })).toEqual(spec(CLIP));
    expect(spec({ ...SIGLIP, size: 256 })).toEqual(spec(SIGLIP));
  });

  it('crops less than the shortest edge where the file says so', () => {
    const crop = { ...CLIP, size: { shortest_edge: 256 } };
    expect(spec(crop)).toMatchObject({ resizeTo: 256, width: 224, height: 224 });
  });

  it('leaves out what do_rescale and do_normalize switch off', () => {
    expect(spec({ ...CLIP, do_rescale: false }).rescale).toBe(1);
    expect(spec({ ...CLIP, do_normalize: false })).toMatchObject({
      mean: [0, 0, 0],
      std: [1, 1, 1],
    });
  });

  it('knows the processor by its old names', () => {
    expect(spec({ ...CLIP, image_processor_type: 'CLIPFeatureExtractor' })).toEqual(spec(CLIP));
    const { size, crop_size, resample } = CLIP;
    const type = { feature_extractor_type: 'CLIPFeatureExtractor' };
    expect(spec({ ...type, size, crop_size, resample })).toEqual(spec(CLIP));
  });

  it.each([
    ['an unknown processor', { ...CLIP, image_processor_type: 'ViTImageProcessor' }, 'ViTImage'],
    ['no processor', { size: 224 }, 'not given'],
    ['an unknown kernel', { ...CLIP, resample: 4 }, 'resample is 4'],
    ['no resizing', { ...CLIP, do_resize: false }, 'do_resize'],
    ['no crop after a shortest edge', { ...CLIP, do_center_crop: false }, 'do_center_crop'],
    ['a crop larger than the image', { ...CLIP, crop_size: 300 }, 'larger than the shortest edge'],
    ['a shortest edge for SigLIP', { ...SIGLIP, size: { shortest_edge: 9 } }, 'shortest edge'],
    ['a crop of a squashed image', { ...CLIP, size: { height: 300, width: 300 } }, 'another size'],
    ['a division by zero', { ...CLIP, image_std: [1, 0, 1] }, 'zero'],
  ])('is never guessed: refuses %s', (_, config, message) => {
    expect(() => spec(config)).toThrow(message);
  });
});

describe('a model folder', () => {
  it('is read whole: the starter model', async () => {
    const model = await readModelFolder(packageFile('models/starter'));
    expect(model).toMatchObject({
      id: 'starter-lite2-minilm',
      family: 'clip',
      dimensions: 1001,
      scoring: { kind: 'softmax', logitScale: 32.704, cosineFloor: 0.128 },
      text: { maxLength: 128, padTo: 'longest', padId: 0 },
    });
    expect(model.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(model.golden?.imageEmbedding).toHaveLength(1001);
  });

  it('has the same hash wherever it lies', async () => {
    const [one, other] = await Promise.all([modelFolder(), modelFolder()]);
    expect((await readModelFolder(one)).hash).toBe((await readModelFolder(other)).hash);
  });

  it.each(['config.json', 'tokenizer.json', 'onnx/text_model.onnx', 'moderato.json'])(
    'has another hash when %s changes',
    async (file) => {
      const folder = await modelFolder();
      const { hash } = await readModelFolder(folder);
      await appendFile(join(folder, file), ' ');
      expect((await readModelFolder(folder)).hash).not.toBe(hash);
    },
  );

  it('does not count files that are not part of the model', async () => {
    const folder = await modelFolder();
    const { hash } = await readModelFolder(folder);
    await writeJson(folder, 'notes.json', {});
    expect((await readModelFolder(folder)).hash).toBe(hash);
  });

  it('is corrupt when a file is not what moderato.json says, and names it', async () => {
    const folder = await modelFolder();
    const sealed = await readModelFolder(folder);
    const files = Object.fromEntries(
      sealed.files
        .filter(({ name }) => name !== 'moderato.json')
        .map(({ name, bytes, sha256 }) => [name, { bytes, sha256 }]),
    );
    await writeJson(folder, 'moderato.json', { logit_scale: 100, files });
    await readModelFolder(folder);
    await appendFile(join(folder, 'onnx/vision_model.onnx'), ' ');
    await expect(readModelFolder(folder)).rejects.toMatchObject({
      code: 'model_corrupt',
      message: expect.stringContaining('onnx/vision_model.onnx') as unknown,
    });
  });

  it('is not found when files are missing, and says which were expected', async () => {
    const folder = await modelFolder();
    await rm(join(folder, 'tokenizer.json'));
    await expect(readModelFolder(folder)).rejects.toMatchObject({
      code: 'model_not_found',
      message: expect.stringContaining('missing tokenizer.json. Expected config.json') as unknown,
    });
    await expect(readModelFolder(join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'model_not_found',
    });
  });

  it('is refused with every fault of its moderato.json', async () => {
    const folder = await modelFolder({ manifest: { logit_scal: 1, cosine_floor: 3 } });
    const error: unknown = await readModelFolder(folder).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'model_invalid' });
    expect(String(error)).toContain('logit_scal');
    expect(String(error)).toContain('cosine_floor');
  });

  it('is refused when its files disagree on the size of an image', async () => {
    const config = { model_type: 'clip', vision_config: { image_size: 9 } };
    await expect(readModelFolder(await modelFolder({ config }))).rejects.toThrow(
      'config.json says images are 9×9',
    );
  });

  it('is refused for a model type nobody knows', async () => {
    const folder = await modelFolder({ config: { model_type: 'blip' } });
    await expect(readModelFolder(folder)).rejects.toThrow('model_type is blip');
  });
});

describe('scoring', () => {
  const scoringOf = async (config: object, manifest: object | null): Promise<unknown> =>
    (await readModelFolder(await modelFolder({ config, manifest }))).scoring;

  it('is what moderato.json says', async () => {
    expect(await scoringOf({ model_type: 'siglip' }, { logit_scale: 10, logit_bias: -2 })).toEqual({
      kind: 'sigmoid',
      logitScale: 10,
      logitBias: -2,
      cosineFloor: null,
      neutralPrompts: null,
    });
  });

  it('believes a logit scale in config.json that training put there', async () => {
    const config = { model_type: 'clip', logit_scale_init_value: 3 };
    expect(await scoringOf(config, null)).toMatchObject({
      kind: 'softmax',
      logitScale: Math.exp(3),
    });
  });

  it('does not take the value that training began with for the trained one', async () => {
    const clip = readModelFolder(join(PARITY, 'tiny-clip'));
    await expect(clip).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining('{"logit_scale": 100}') as unknown,
    });
    const siglip = scoringOf({ model_type: 'siglip' }, { logit_scale: 10 });
    await expect(siglip).rejects.toThrow('logit bias');
  });
});
