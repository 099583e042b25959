import { readFile, stat } from 'node:fs/promises';
import { configSections } from '../config-schema.ts';
import { createDecoderPool } from '../images/decoder-pool.ts';
import type { Pixels, PreprocessSpec } from '../images/image-decoder.ts';
import { decoderSettingsOf } from '../inspector.ts';
import type { ClipEncoder, EncodedImage, ExecutionProvider } from '../model/clip-encoder.ts';
import { cosineDistance, goldenImage } from '../model/golden.ts';
import { readModelFolder } from '../model/model-folder.ts';
import type { Precision } from '../model/precision.ts';
import { readOpset } from '../model/prepare-graph.ts';
import { preparedGraph } from '../model/prepared-graphs.ts';
import { preparedFolder, resolveModel } from '../model/store.ts';
import { dot } from '../model/unit-vectors.ts';
import { createWorkerClipEncoder } from '../model/worker-clip-encoder.ts';
import { findSamples } from './image-files.ts';
import { say } from './printable.ts';

export interface DeviceOptions {
  cuda?: string | true;
  tensorrt?: string | true;
  precision: Precision;
}

/** Photos beside the golden image. */
const PHOTOS = 16;
const PROMPTS = ['a photo of a cat', 'a plate of food', 'a knife on a table', 'a city at night'];

/** `moderato models prepare`: builds the prepared graph, and measures how far it is from the fp32 graph as exported. */
export async function prepareModel(name: string, options: DeviceOptions): Promise<void> {
  const folder = await resolveModel(name);
  const model = await readModelFolder(folder, options.precision);
  const { file, bytes, state } = await preparedGraph(model, preparedFolder());
  const weights = await stat(model.graphs.vision);
  say(`${model.id} in ${folder}, ${model.precision}\nprepared graph: ${file}`);
  say(`${STATE[state]}; ${bytes.length} bytes, opset ${readOpset(file, bytes)}`);
  say(`weights: ${model.graphs.vision}, ${weights.size} bytes`);

  const images = [golden(model.preprocess), ...(await photos(model.preprocess))];
  const prepared = await createWorkerClipEncoder({ model, ...deviceOf(options) });
  const exported = await createWorkerClipEncoder({
    model: await readModelFolder(folder),
    graph: 'plain',
  });
  try {
    const texts = await exported.encodeTexts(PROMPTS);
    await prepared.usePrompts(Float32Array.from(texts.flatMap((text) => [...text])));
    const drift = compare(await encode(prepared, images), await encode(exported, images), texts);
    say(`runs on ${prepared.info.executionProvider}`);
    say(
      `drift from the exported fp32 graph on cpu, the largest of ${images.length} images: ` +
        `cosine ${digits(drift.cosine)}, a number of an embedding ${digits(drift.number)}, ` +
        `a similarity ${digits(drift.similarity)}`,
    );
  } finally {
    await prepared.close();
    await exported.close();
  }
}

const STATE = {
  found: 'found as it was kept',
  written: 'built and kept',
  unwritten: 'built; its folder cannot be written, so that every start builds it again',
} as const;

export function deviceOf({ cuda, tensorrt }: DeviceOptions): {
  executionProvider?: ExecutionProvider;
  devices?: number[];
} {
  const device = tensorrt ?? cuda;
  if (device === undefined) return {};
  const executionProvider = tensorrt === undefined ? 'cuda' : 'tensorrt';
  return { executionProvider, devices: [device === true ? 0 : Number(device)] };
}

export function digits(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}

function golden({ width, height }: PreprocessSpec): Pixels {
  return { data: goldenImage(width, height), width, height };
}

async function photos(preprocess: PreprocessSpec): Promise<Pixels[]> {
  const { images } = configSections.pick({ images: true }).parse({});
  const decoder = createDecoderPool({
    ...decoderSettingsOf(images, preprocess),
    processes: 1,
    timeoutMs: images.decodeTimeoutMs,
    memoryBytes: images.decoderMemoryBytes,
  });
  try {
    const files = (await findSamples()).slice(0, PHOTOS);
    // Some of the samples are there to show what cannot be decoded.
    const decoded = await Promise.allSettled(
      files.map(async (file) => decoder.decode(await readFile(file))),
    );
    return decoded
      .filter((outcome) => outcome.status === 'fulfilled')
      .flatMap(({ value }) => value.views.map(({ pixels }) => pixels));
  } finally {
    await decoder.close();
  }
}

/** One by one, so that memory is no matter. */
async function encode(encoder: ClipEncoder, images: readonly Pixels[]): Promise<EncodedImage[]> {
  const encoded: EncodedImage[] = [];
  for (const image of images) encoded.push(...(await encoder.encodeImages([image])));
  return encoded;
}

function compare(
  images: readonly EncodedImage[],
  expected: readonly EncodedImage[],
  texts: readonly Float32Array[],
): { cosine: number; number: number; similarity: number } {
  const drift = { cosine: 0, number: 0, similarity: 0 };
  for (const [at, { embedding, similarities }] of images.entries()) {
    const wanted = expected[at]?.embedding ?? new Float32Array();
    drift.cosine = Math.max(drift.cosine, cosineDistance(embedding, wanted));
    embedding.forEach((value, axis) => {
      drift.number = Math.max(drift.number, Math.abs(value - (wanted[axis] ?? NaN)));
    });
    for (const [row, text] of texts.entries()) {
      const off = Math.abs((similarities?.[row] ?? NaN) - dot(wanted, text));
      drift.similarity = Math.max(drift.similarity, off);
    }
  }
  return drift;
}
