import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { SHAPES, writeVitModel, type Fill, type Precision } from '../../bench/vit-model.ts';
import { cosineDistance, goldenImage } from '../../src/model/golden.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { createPixelTensor } from '../../src/model/pixel-tensor.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';
import {
  memoryGoldenCache,
  PARITY,
  removeFolder,
  temporaryFolder,
} from '../support/onnx-models.ts';
import { fields, text } from '../support/protobuf.ts';

jest.setTimeout(30_000);

/** The architecture of the parity fixture, which transformers exported. */
const TINY = { ...SHAPES.b32, width: 64, layers: 2, heads: 2, mlp: 128, dimensions: 32 };
const EXPORTED = join(PARITY, 'tiny-clip/onnx/vision_model.onnx');

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await removeFolder(folder);
});

/** The weights of the exported graph; it shares equal ones and does not name those of matrices. */
async function exportedWeights(): Promise<Fill> {
  const [graph = Buffer.alloc(0)] = fields(await readFile(EXPORTED), 7);
  const tensors = new Map(
    fields(graph, 5).map((tensor) => [fields(tensor, 8).map(text).join(), fields(tensor, 9)[0]]),
  );
  const nodes = fields(graph, 1).map((node) => ({
    inputs: fields(node, 1).map(text),
    output: fields(node, 2).map(text).join(),
  }));
  const producer = (output: string) => nodes.find((node) => node.output === output);
  return (name, values) => {
    const own = `m.vision_model.${name}`;
    const path = name
      .replace(/\.weight$/, '')
      .replaceAll('.', '/')
      .replace('layers/', 'layers.');
    const product =
      name === 'visual_projection.weight'
        ? 'image_embeds'
        : `/m/vision_model/${path}/MatMul_output_0`;
    const source = producer(own)?.inputs[0] ?? producer(product)?.inputs[1] ?? own;
    const bytes = tensors.get(source);
    if (bytes?.length !== values.length * 4) throw new Error(`no weight ${name} of that size`);
    for (let at = 0; at < values.length; at++) values[at] = bytes.readFloatLE(at * 4);
  };
}

async function write(precision: Precision, fill?: Fill): Promise<string> {
  const folder = await temporaryFolder();
  folders.push(folder);
  await writeVitModel(folder, { shape: TINY, precision, ...(fill && { fill }) });
  return folder;
}

async function embed(file: string, pixels: Float32Array): Promise<Float32Array> {
  const session = await InferenceSession.create(file);
  const tensor = new Tensor('float32', pixels.slice(), [2, 3, 224, 224]);
  const { image_embeds: embeddings } = await session.run({ pixel_values: tensor });
  return embeddings?.data as Float32Array;
}

describe('a vision tower of random weights', () => {
  it('computes what the one that transformers exported does, given its weights', async () => {
    const folder = await write('float32', await exportedWeights());
    const { preprocess } = await readModelFolder(folder);
    const picture = goldenImage(224, 224);
    const pixels = createPixelTensor(preprocess, 2).fill(
      Buffer.concat([picture, picture.toReversed()]),
      2,
    );
    const [ours, theirs] = [
      await embed(join(folder, 'onnx/vision_model.onnx'), pixels),
      await embed(EXPORTED, pixels),
    ];
    expect(ours).toHaveLength(2 * TINY.dimensions);
    const off = ours.map((value, at) => Math.abs(value - (theirs[at] ?? NaN)));
    expect(Math.max(...off)).toBeLessThan(1e-5 * Math.max(...theirs.map(Math.abs)));
  });

  it('is the same each time, and in float16 but for rounding', async () => {
    const image = { data: goldenImage(224, 224), width: 224, height: 224 };
    const embeddings: Float32Array[] = [];
    const hashes: string[] = [];
    for (const precision of ['float32', 'float32', 'float16'] as const) {
      const model = await write(precision);
      const goldenCache = memoryGoldenCache();
      const encoder = await createWorkerClipEncoder({ model, threads: 1, goldenCache });
      embeddings.push(...(await encoder.encodeImages([image])).map(({ embedding }) => embedding));
      hashes.push(encoder.info.hash);
      await encoder.close();
    }
    const [first = new Float32Array(), , half = new Float32Array()] = embeddings;
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
    expect(half).not.toEqual(first);
    expect(cosineDistance(first, half)).toBeLessThan(1e-3);
  });
});
