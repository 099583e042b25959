import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readModelFolder } from '../../src/model/model-folder.ts';
import type { Precision } from '../../src/model/precision.ts';
import { sealModel } from '../../src/model/seal.ts';
import {
  createWorkerClipEncoder,
  type WorkerClipEncoder,
} from '../../src/model/worker-clip-encoder.ts';
import {
  MEAN_COLOUR,
  MEAN_TOKEN,
  memoryGoldenCache,
  modelFolder,
  removeFolder,
  temporaryFolder,
} from '../support/onnx-models.ts';
import { onnxModel, type Graph } from '../support/onnx.ts';

// Threads that load a runtime take their time on a busy machine.
jest.setTimeout(30_000);

const FLOAT16 = 10;
const FLOAT32 = 1;
const HALF_COLOUR: Graph = {
  inputs: MEAN_COLOUR.inputs.map((input) => ({ ...input, type: 'float16' })),
  outputs: MEAN_COLOUR.outputs.map((output) => ({ ...output, type: 'float16' })),
  nodes: [
    { op: 'Cast', inputs: ['pixel_values'], outputs: ['pixels'], int: { to: FLOAT32 } },
    ...MEAN_COLOUR.nodes.map((node) => ({ ...node, inputs: ['pixels'], outputs: ['mean'] })),
    { op: 'Cast', inputs: ['mean'], outputs: ['image_embeds'], int: { to: FLOAT16 } },
  ],
};
const HALF_TOKEN: Graph = {
  ...MEAN_TOKEN,
  outputs: MEAN_TOKEN.outputs.map((output) => ({ ...output, type: 'float16' })),
  nodes: [
    ...MEAN_TOKEN.nodes.map((node) => ({
      ...node,
      outputs: node.outputs.map((name) => (name === 'text_embeds' ? 'mean' : name)),
    })),
    { op: 'Cast', inputs: ['mean'], outputs: ['text_embeds'], int: { to: FLOAT16 } },
  ],
};

const folders: string[] = [];
afterAll(() => Promise.all(folders.map(removeFolder)));

/** A sealed fp32 model with graphs that take and give half precision beside its own. */
async function folderWithHalf(): Promise<string> {
  const folder = await modelFolder();
  folders.push(folder);
  await sealModel(folder);
  await writeFile(join(folder, 'onnx/vision_model_fp16.onnx'), onnxModel(HALF_COLOUR));
  await writeFile(join(folder, 'onnx/text_model_fp16.onnx'), onnxModel(HALF_TOKEN));
  return folder;
}

async function open(
  model: string,
  precision: Precision,
  graph: 'prepared' | 'plain' = 'prepared',
): Promise<WorkerClipEncoder> {
  const preparedFolder = await temporaryFolder();
  folders.push(preparedFolder);
  const goldenCache = memoryGoldenCache();
  return createWorkerClipEncoder({ model, precision, graph, preparedFolder, goldenCache });
}

describe('fp16', () => {
  it('takes and gives half precision inside the prepared graph, close to fp32', async () => {
    const encoder = await open(await folderWithHalf(), 'fp16');
    const { state, drift } = encoder.golden;
    await encoder.close();
    expect(state).toBe('matched');
    for (const distance of [drift.image, drift.text]) {
      expect(distance).toBeGreaterThan(0);
      expect(distance).toBeLessThan(1e-5);
    }
  });

  it('is refused as a plain graph, which is given single precision', async () => {
    await expect(open(await folderWithHalf(), 'fp16', 'plain')).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining('pixel_values as float32, found float16') as unknown,
    });
  });

  it('takes the fp32 text graph where there is no other', async () => {
    const folder = await folderWithHalf();
    await rm(join(folder, 'onnx/text_model_fp16.onnx'));
    const { graphs } = await readModelFolder(folder, 'fp16');
    expect(graphs).toEqual({
      vision: join(folder, 'onnx/vision_model_fp16.onnx'),
      text: join(folder, 'onnx/text_model.onnx'),
    });
  });
});

describe('precision', () => {
  it('is part of the identity', async () => {
    const folder = await folderWithHalf();
    const hashes = await Promise.all(
      (['fp32', 'fp16'] as const).map(async (each) => (await readModelFolder(folder, each)).hash),
    );
    expect(new Set(hashes).size).toBe(2);
  });

  it('int8 is the quantized graph, else the int8 one, else not found', async () => {
    const folder = await folderWithHalf();
    await expect(readModelFolder(folder, 'int8')).rejects.toMatchObject({
      code: 'model_not_found',
    });
    for (const suffix of ['_int8', '_quantized']) {
      const vision = join(folder, `onnx/vision_model${suffix}.onnx`);
      await cp(join(folder, 'onnx/vision_model.onnx'), vision);
      expect((await readModelFolder(folder, 'int8')).graphs.vision).toBe(vision);
    }
  });

  it('keeps to the golden embeddings of fp32, if less closely', async () => {
    const folder = await folderWithHalf();
    const swapped: Graph = {
      ...HALF_COLOUR,
      constants: [{ name: 'order', type: 'int64', shape: [3], values: [2, 1, 0] }],
      nodes: HALF_COLOUR.nodes.flatMap((node) =>
        node.op === 'Cast' && node.inputs[0] === 'mean'
          ? [
              {
                op: 'Gather',
                inputs: ['mean', 'order'],
                outputs: ['swapped'],
                int: { axis: 1 },
              },
              { ...node, inputs: ['swapped'] },
            ]
          : [node],
      ),
    };
    await writeFile(join(folder, 'onnx/vision_model_fp16.onnx'), onnxModel(swapped));
    await expect(open(folder, 'fp16')).rejects.toMatchObject({ code: 'model_mismatch' });
  });
});
