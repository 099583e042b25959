import { describe, expect, it, jest } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkGolden,
  createGoldenCache,
  goldenImage,
  toBase64,
  type Golden,
} from '../../src/model/golden.ts';
import { sealModel } from '../../src/model/seal.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';
import { packageFile } from '../../src/package-files.ts';
import {
  memoryGoldenCache,
  modelFolder,
  readJson,
  temporaryFolder,
  writeJson,
} from '../support/onnx-models.ts';

// Threads that load a runtime take their time on a busy machine.
jest.setTimeout(30_000);

const golden = (image: number[], text: number[]): Golden => ({
  text: 'x',
  imageEmbedding: Float32Array.from(image),
  textEmbedding: Float32Array.from(text),
  tolerance: 1e-3,
});

describe('golden embeddings', () => {
  const expected = golden([1, 0], [0, 1]);
  it.each([
    ['equal up to rounding', golden([0.9999, 0.0001], [0, 1]), null],
    ['another image embedding', golden([0.9, 0.4], [0, 1]), 'golden image embedding'],
    ['another text embedding', golden([1, 0], [0.6, 0.8]), 'golden text embedding'],
    ['other dimensions', golden([1, 0, 0], [0, 1]), '3 dimensions, expected 2'],
    ['no numbers', golden([NaN, 0], [0, 1]), 'golden image embedding'],
  ])('tell %s', (_, actual, message) => {
    const check = (): unknown => checkGolden(expected, actual, 'm', 'cuda');
    if (message === null) check();
    else expect(check).toThrow(message);
  });

  it('are of an image whose channels, rows and columns all differ', () => {
    const image = goldenImage(4, 2);
    expect(Array.from(image.slice(0, 6))).toEqual([0, 0, 0, 63, 0, 5]);
    expect(Array.from(image.slice(12, 15))).toEqual([0, 127, 5]);
  });

  it('ship with the starter model and are met by this machine', async () => {
    const encoder = await createWorkerClipEncoder({ model: packageFile('models/starter') });
    await encoder.close();
    expect(encoder.golden.state).toBe('matched');
  });

  it('are recorded for a model that has none, and met from then on', async () => {
    const goldenCache = createGoldenCache(await temporaryFolder());
    const model = await modelFolder();
    const outcomes: string[] = [];
    for (let start = 0; start < 2; start++) {
      const encoder = await createWorkerClipEncoder({ model, goldenCache });
      outcomes.push(encoder.golden.state);
      await encoder.close();
    }
    expect(outcomes).toEqual(['recorded', 'matched']);
  });

  it('keep a model from starting that computes something else', async () => {
    const folder = await modelFolder();
    await sealModel(folder);
    const manifest = await readJson<{ golden: { image_embedding: string } }>(
      folder,
      'moderato.json',
    );
    const other = toBase64(Float32Array.from([0, 1, 0]));
    await writeJson(folder, 'moderato.json', {
      ...manifest,
      golden: { ...manifest.golden, image_embedding: other },
    });
    await expect(
      createWorkerClipEncoder({ model: folder, goldenCache: memoryGoldenCache() }),
    ).rejects.toMatchObject({ code: 'model_mismatch' });
  });

  it('do not keep a service from starting whose cache cannot be written', async () => {
    const file = join(await temporaryFolder(), 'a-file');
    await writeFile(file, '');
    const cache = createGoldenCache(file);
    expect(await cache.read('hash')).toBeNull();
    expect(await cache.write('hash', golden([1], [1]))).toBe(false);
  });
});
