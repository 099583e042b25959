import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { pathToFileURL } from 'node:url';
import type { ClipEncoder } from '../../src/model/clip-encoder.ts';
import { startEncoderThread } from '../../src/model/encoder-thread.ts';
import { packageFile } from '../../src/package-files.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';
import type { Pixels } from '../../src/images/image-decoder.ts';
import { fakeWorkers } from '../support/fake-workers.ts';
import { MEAN_COLOUR, MEAN_TOKEN, memoryGoldenCache, modelFolder } from '../support/onnx-models.ts';
import type { Graph } from '../support/onnx.ts';

// Threads that load a runtime take their time on a busy machine.
jest.setTimeout(30_000);

const open = (model: string): ReturnType<typeof createWorkerClipEncoder> =>
  createWorkerClipEncoder({ model, threads: 1, goldenCache: memoryGoldenCache() });

function plain(red: number, green: number, blue: number, size = 8): Pixels {
  const data = new Uint8Array(size * size * 3);
  for (let at = 0; at < data.length; at += 3) data.set([red, green, blue], at);
  return { data, width: size, height: size };
}

describe('the encoder thread', () => {
  let encoder: ClipEncoder;
  beforeAll(async () => {
    // The root of a dark image's mean is no number; the vector of the word `zebra` is not in the table.
    const vision: Graph = {
      ...MEAN_COLOUR,
      nodes: [
        { ...(MEAN_COLOUR.nodes[0] ?? fail()), outputs: ['mean'] },
        { op: 'Sqrt', inputs: ['mean'], outputs: ['image_embeds'] },
      ],
    };
    const model = await modelFolder({ vision, vocabulary: { zebra: 99 } });
    encoder = await createWorkerClipEncoder({
      model,
      textIdleMs: 0,
      goldenCache: memoryGoldenCache(),
    });
  });
  afterAll(() => encoder.close());

  it('tells what it runs', () => {
    expect(encoder.info).toMatchObject({
      executionProvider: 'cpu',
      dimensions: 3,
      preprocessing: 'sharp-0.35/bicubic/crop-8-8x8/2',
    });
  });

  it('keeps red, green and blue apart and answers in order', async () => {
    const [warm, cold] = await encoder.encodeImages([plain(255, 13, 13), plain(13, 13, 255)]);
    expect(warm?.embedding[0]).toBeGreaterThan(0.99);
    expect(cold?.embedding[2]).toBeGreaterThan(0.99);
  });

  it('answers nothing for nothing', async () => {
    expect(await encoder.encodeImages([])).toEqual([]);
    expect(await encoder.encodeTexts([])).toEqual([]);
  });

  it('answers calls made at the same time, each with its own embeddings', async () => {
    const colours = [plain(255, 13, 13), plain(13, 255, 13), plain(13, 13, 255)];
    const answers = await Promise.all(colours.map((image) => encoder.encodeImages([image])));
    answers.forEach(([image], at) => expect(image?.embedding[at]).toBeGreaterThan(0.99));
  });

  it('refuses pixels of another size', async () => {
    await expect(encoder.encodeImages([plain(0, 0, 0, 9)])).rejects.toMatchObject({
      code: 'inference_failed',
      message: expect.stringContaining('9×9') as unknown,
    });
  });

  it('loads the text tower again after it was let go', async () => {
    const [first] = await encoder.encodeTexts(['a cat']);
    await encoder.encodeImages([plain(99, 99, 99)]);
    const [second] = await encoder.encodeTexts(['a cat']);
    expect(second).toEqual(first);
  });

  it('refuses embeddings that are not numbers, and goes on', async () => {
    const bright = plain(200, 200, 200);
    await expect(encoder.encodeImages([bright, plain(0, 0, 0)])).rejects.toMatchObject({
      code: 'inference_failed',
      message: expect.stringContaining('embedding 2 of 2') as unknown,
    });
    expect(await encoder.encodeImages([bright])).toHaveLength(1);
  });

  it('tells a batch that the runtime refuses from an encoder that is gone', async () => {
    await expect(encoder.encodeTexts(['a cat', 'a zebra'])).rejects.toMatchObject({
      code: 'inference_failed',
    });
    expect(await encoder.encodeTexts(['a cat'])).toHaveLength(1);
  });

  it('answers what was asked before it was closed, and nothing after', async () => {
    const closed = await open(await modelFolder());
    const before = closed.encodeImages([plain(1, 2, 3)]);
    const closing = closed.close();
    await expect(closed.encodeImages([plain(1, 2, 3)])).rejects.toMatchObject({
      code: 'encoder_failed',
    });
    await closing;
    expect(await before).toHaveLength(1);
    await closed.close();
  });
});

describe('several workers', () => {
  it('share the batches, each worker one at a time, and give the same embeddings', async () => {
    const model = await modelFolder();
    const workers = 3;
    await using held = new AsyncDisposableStack();
    const several = held.adopt(
      await createWorkerClipEncoder({ model, workers, goldenCache: memoryGoldenCache() }),
      (encoder) => encoder.close(),
    );
    const one = held.adopt(await open(model), (encoder) => encoder.close());
    expect([several.concurrency, one.concurrency]).toEqual([3, 1]);
    const images = Array.from({ length: 24 }, (_, n) => plain(10 * n, 255 - 10 * n, 7 * n));
    const together = await Promise.all(images.map((image) => several.encodeImages([image])));
    expect(together.flat()).toEqual(await one.encodeImages(images));
    expect(await several.encodeTexts(['a cat'])).toEqual(await one.encodeTexts(['a cat']));
  });
});

describe('several GPUs', () => {
  const options = { executionProvider: 'cuda', devices: [0, 3], workers: 2 } as const;
  const image = plain(1, 2, 3);

  it('have their own workers each, after the CPU said what is right', async () => {
    const { startThread, started } = fakeWorkers();
    const goldenCache = memoryGoldenCache();
    const model = await modelFolder();
    const encoder = await createWorkerClipEncoder({ ...options, model, goldenCache, startThread });
    expect(encoder.concurrency).toBe(4);
    const gpus = started.filter(({ provider }) => provider === 'cuda').map(({ device }) => device);
    expect(gpus).toEqual([0, 0, 3, 3]);
    const texts = started.filter(({ provider }) => provider === 'cuda').map((each) => each.texts);
    expect(texts).toEqual([true, false, false, false]);
    expect(started.filter(({ provider }) => provider !== 'cuda')).toEqual([
      { provider: 'cpu', device: 0, texts: true },
    ]);
  });

  it('share the batches: none gets a second one while another has none', async () => {
    const { startThread, asked, answer } = fakeWorkers();
    const goldenCache = memoryGoldenCache();
    const model = await modelFolder();
    const encoder = await createWorkerClipEncoder({ ...options, model, goldenCache, startThread });
    const batches = Array.from({ length: 6 }, () => encoder.encodeImages([image]));
    expect(asked.slice(0, 4).toSorted()).toEqual([0, 0, 3, 3]);
    answer();
    expect((await Promise.all(batches)).flat()).toHaveLength(6);
  });

  it('end the encoder when one of their workers dies', async () => {
    const model = await modelFolder();
    const startThread: typeof startEncoderThread = (start, more) =>
      startEncoderThread(
        { ...start, goldenText: 'throw' },
        { ...more, file: pathToFileURL(packageFile('test/support/dying-worker.js')) },
      );
    const goldenCache = memoryGoldenCache();
    const settings = { model, goldenCache, workers: 2, startThread };
    const encoder = await createWorkerClipEncoder(settings);
    for (let batch = 0; batch < 2; batch++) {
      await expect(encoder.encodeImages([image])).rejects.toMatchObject({
        code: 'encoder_failed',
        disposition: 'fatal',
      });
    }
    await encoder.close();
  });
});

describe('a model that does not fit', () => {
  const input = MEAN_COLOUR.inputs[0] ?? fail();
  const output = MEAN_COLOUR.outputs[0] ?? fail();
  const cases: [string, Partial<Parameters<typeof modelFolder>[0]>, string][] = [
    [
      'a fixed batch',
      { vision: { ...MEAN_COLOUR, inputs: [{ ...input, shape: [1, 3, 8, 8] }] } },
      'expected pixel_values as [batch, 3, 8, 8], found [1, 3, 8, 8]',
    ],
    [
      'another image size',
      { vision: { ...MEAN_COLOUR, inputs: [{ ...input, shape: ['b', 3, 9, 9] }] } },
      'expected pixel_values as [batch, 3, 8, 8], found [b, 3, 9, 9]',
    ],
    [
      'another dimension than config.json says',
      { config: { model_type: 'clip', projection_dim: 5 } },
      'expected image_embeds as [batch, 5], found [batch, 3]',
    ],
    [
      'another output',
      {
        vision: {
          ...MEAN_COLOUR,
          outputs: [{ ...output, name: 'logits' }],
          nodes: [{ ...(MEAN_COLOUR.nodes[0] ?? fail()), outputs: ['logits'] }],
        },
      },
      'expected an output image_embeds or pooler_output, found logits',
    ],
    [
      'both towers in one graph',
      { vision: { ...MEAN_COLOUR, inputs: [input, ...MEAN_TOKEN.inputs] } },
      'found pixel_values, input_ids',
    ],
    [
      'a text graph of one fixed length',
      {
        text: {
          ...MEAN_TOKEN,
          inputs: [{ name: 'input_ids', type: 'int64', shape: ['batch', 5] }],
        },
      },
      'expected input_ids as [batch, length], found [batch, 5]',
    ],
  ];
  it.each(cases)('is refused for %s, and told what was expected', async (_, parts, message) => {
    await expect(open(await modelFolder(parts))).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining(message) as unknown,
    });
  });

  it.each([
    ['cuda', 'cuDNN 9'],
    ['tensorrt', 'libnvinfer'],
  ] as const)(
    'is refused where %s cannot be loaded, and never run elsewhere',
    async (provider, needs) => {
      const model = await modelFolder();
      const outcome = await createWorkerClipEncoder({ model, executionProvider: provider }).catch(
        (error: unknown) => error,
      );
      // On a machine with a GPU and its provider, the encoder must say so; anywhere else it must refuse.
      if (outcome instanceof Error) {
        expect(outcome).toMatchObject({ code: 'provider_unavailable' });
        expect(outcome.message).toContain('executionProvider: cpu');
        expect(outcome.message).toContain(needs);
      } else {
        const encoder = outcome as ClipEncoder;
        expect(encoder.info.executionProvider).toBe(provider);
        await encoder.close();
      }
    },
  );
});

function fail(): never {
  throw new Error('the graph is empty');
}
