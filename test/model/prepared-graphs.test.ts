import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { goldenImage } from '../../src/model/golden.ts';
import { readModelFolder, type ModelFolder } from '../../src/model/model-folder.ts';
import { EXTERNAL } from '../../src/model/onnx-graph.ts';
import { ModelProtoSchema, StringStringEntryProtoSchema } from '../../src/model/onnx.generated.ts';
import { preparedGraph } from '../../src/model/prepared-graphs.ts';
import { OPSETS } from '../../src/model/prepare-graph.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';
import {
  MEAN_COLOUR,
  memoryGoldenCache,
  modelFolder,
  parityFolder,
  removeFolder,
  temporaryFolder,
} from '../support/onnx-models.ts';
import { onnxModel, type Graph } from '../support/onnx.ts';

// Threads that load a runtime take their time on a busy machine.
jest.setTimeout(30_000);

const folders: string[] = [];
afterAll(() => Promise.all(folders.map(removeFolder)));
const folder = async (): Promise<string> => {
  const made = await temporaryFolder();
  folders.push(made);
  return made;
};

/** Of operators that mean the same in every opset. */
const POOLED_COLOUR: Graph = {
  ...MEAN_COLOUR,
  nodes: [
    { op: 'GlobalAveragePool', inputs: ['pixel_values'], outputs: ['mean'] },
    { op: 'Flatten', inputs: ['mean'], outputs: ['image_embeds'] },
  ],
};

async function modelOf(opset: number): Promise<ModelFolder> {
  const path = await modelFolder();
  folders.push(path);
  await writeFile(join(path, 'onnx/vision_model.onnx'), onnxModel(POOLED_COLOUR, opset));
  return readModelFolder(path);
}

/** Whether a bright red image is told to be one. */
async function seesRed(model: ModelFolder, preparedFolder: string): Promise<boolean> {
  const encoder = await createWorkerClipEncoder({
    model,
    preparedFolder,
    threads: 1,
    goldenCache: memoryGoldenCache(),
  });
  const { width, height } = model.preprocess;
  const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at % 3 ? 13 : 255));
  const [image] = await encoder.encodeImages([{ data, width, height }]);
  await encoder.close();
  return (image?.embedding[0] ?? 0) > 0.99;
}

/** Moves every weight of a graph into a file beside it, as exports over 2 GB have them. */
async function moveWeights(file: string): Promise<void> {
  const model = fromBinary(ModelProtoSchema, await readFile(file));
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of model.graph?.initializer ?? []) {
    const { rawData } = tensor;
    if (rawData.length < 1024) continue;
    const entries = { location: `${basename(file)}_data`, offset, length: rawData.length };
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) }),
    );
    tensor.dataLocation = EXTERNAL;
    parts.push(rawData);
    offset += rawData.length;
    tensor.rawData = new Uint8Array();
  }
  expect(parts.length).toBeGreaterThan(0);
  await writeFile(`${file}_data`, Buffer.concat(parts));
  await writeFile(file, toBinary(ModelProtoSchema, model));
}

describe('a prepared graph', () => {
  it('is made once and found from then on', async () => {
    const [model, kept] = [await modelOf(17), await folder()];
    const first = await preparedGraph(model, kept);
    const second = await preparedGraph(model, kept);
    expect([first.state, second.state]).toEqual(['written', 'found']);
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
    expect(await seesRed(model, kept)).toBe(true);
  });

  it('is one for each model', async () => {
    const kept = await folder();
    const [one, other] = [await modelOf(17), await modelOf(16)];
    const files = [await preparedGraph(one, kept), await preparedGraph(other, kept)];
    expect(files.map(({ state }) => state)).toEqual(['written', 'written']);
    expect(files[0]?.file).not.toBe(files[1]?.file);
  });

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 9)],
    ['of another content', (bytes: Buffer) => bytes.fill(0x41, 40, 44)],
    ['empty', () => Buffer.alloc(0)],
  ])('is made again where what is kept is %s', async (_, damage) => {
    const [model, kept] = [await modelOf(17), await folder()];
    const { file, bytes } = await preparedGraph(model, kept);
    await writeFile(file, damage(await readFile(file)));
    const again = await preparedGraph(model, kept);
    expect(again.state).toBe('written');
    expect(Buffer.compare(again.bytes, bytes)).toBe(0);
    expect((await preparedGraph(model, kept)).state).toBe('found');
  });

  it('is made in memory where nothing can be kept', async () => {
    const model = await modelOf(17);
    const file = join(await folder(), 'a-file');
    await writeFile(file, '');
    expect((await preparedGraph(model, file)).state).toBe('unwritten');
    expect(await seesRed(model, file)).toBe(true);
  });

  it('leaves the weights in the model folder', async () => {
    const path = await parityFolder('tiny-clip');
    folders.push(path);
    const model = await readModelFolder(path);
    const { bytes } = await preparedGraph(model, await folder());
    expect(bytes.length).toBeLessThan((await stat(model.graphs.vision)).size / 4);
  });

  it('finds weights that the exported graph keeps in a file of their own', async () => {
    const path = await parityFolder('tiny-clip');
    folders.push(path);
    await moveWeights(join(path, 'onnx/vision_model.onnx'));
    const model = await readModelFolder(path);
    expect(model.files.map(({ name }) => name)).toContain('onnx/vision_model.onnx_data');
    const [prepared, exported] = await Promise.all(
      (['prepared', 'plain'] as const).map(async (graph) => {
        const encoder = await createWorkerClipEncoder({
          model,
          graph,
          preparedFolder: await folder(),
          threads: 1,
          goldenCache: memoryGoldenCache(),
        });
        const { width, height } = model.preprocess;
        const image = { data: goldenImage(width, height), width, height };
        const [encoded] = await encoder.encodeImages([image]);
        await encoder.close();
        return encoded?.embedding ?? new Float32Array();
      }),
    );
    expect(prepared).toHaveLength(exported?.length ?? NaN);
    prepared?.forEach((number, at) => {
      expect(Math.abs(number - (exported?.[at] ?? NaN))).toBeLessThan(1e-4);
    });
  });

  it('finds the weights of a graph that is a link, as in the Hugging Face cache', async () => {
    const path = await parityFolder('tiny-clip');
    const blobs = await folder();
    folders.push(path);
    const graph = join(path, 'onnx/vision_model.onnx');
    await rename(graph, join(blobs, 'd670460b'));
    await symlink(join(blobs, 'd670460b'), graph);
    const encoder = await createWorkerClipEncoder({
      model: path,
      preparedFolder: await folder(),
      threads: 1,
      goldenCache: memoryGoldenCache(),
    });
    await encoder.close();
    expect(encoder.golden.state).toBe('recorded');
  });

  const opsets = [OPSETS.first, 12, 13, 17, 18, OPSETS.last];
  it.each(opsets)('runs in opset %i', async (opset) => {
    expect(await seesRed(await modelOf(opset), await folder())).toBe(true);
  });

  it.each([OPSETS.first - 1, OPSETS.last + 1])('is refused in opset %i', async (opset) => {
    await expect(preparedGraph(await modelOf(opset), await folder())).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringContaining(`opset ${opset} of ai.onnx`) as unknown,
    });
  });

  it('is refused of what is no graph', async () => {
    const model = await modelOf(17);
    await writeFile(model.graphs.vision, 'not protobuf');
    await expect(preparedGraph(model, await folder())).rejects.toMatchObject({
      code: 'model_invalid',
    });
  });
});
