import { expect, it, jest } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDecoderPool } from '../../src/images/decoder-pool.ts';
import type { Pixels } from '../../src/images/image-decoder.ts';
import { cosineDistance } from '../../src/model/golden.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';
import { packageFile } from '../../src/package-files.ts';
import { firstView } from '../support/decoded-image.ts';

jest.setTimeout(60_000);

it("the starter's 8-bit tower sees what the exact one sees, on the sample photos", async () => {
  const folder = packageFile('models/starter');
  const samples = packageFile('samples');
  const models = {
    fp32: await readModelFolder(folder),
    int8: await readModelFolder(folder, 'int8'),
  };
  const decoders = createDecoderPool({
    preprocess: models.fp32.preprocess,
    processes: 1,
    timeoutMs: 20_000,
    memoryBytes: 2 ** 30,
    maxPixels: 1e8,
    maxEdge: 65_535,
    maxFrames: 1,
    views: { sampledFrames: 1, looks: 'single', tiles: 0, damaged: 'inspect' },
  });
  const photos = (await readdir(samples)).filter((name) => /\.(jpg|webp)$/.test(name));
  const pixels: Pixels[] = [];
  for (const name of photos) {
    pixels.push(firstView(await decoders.decode(await readFile(join(samples, name)))).pixels);
  }
  await decoders.close();
  const embeddings = async (precision: 'fp32' | 'int8'): Promise<Float32Array[]> => {
    const encoder = await createWorkerClipEncoder({ model: models[precision] });
    const encoded = await encoder.encodeImages(pixels);
    await encoder.close();
    return encoded.map(({ embedding }) => embedding);
  };
  const [exact, quantized] = [await embeddings('fp32'), await embeddings('int8')];
  const drift = exact.map((embedding, at) => cosineDistance(embedding, quantized[at] ?? []));
  expect(Math.max(...drift)).toBeLessThan(0.05);
  expect(drift.reduce((sum, each) => sum + each, 0) / drift.length).toBeLessThan(0.005);
});
