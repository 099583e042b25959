/** What takes turns on the device: the runtime alone, copying alone, and Moderato's encoder around the runtime. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ExecutionProvider } from '../../src/model/clip-encoder.ts';
import { goldenImage, type GoldenCache } from '../../src/model/golden.ts';
import { createWorkerClipEncoder } from '../../src/model/worker-clip-encoder.ts';
import { onnxModel } from '../../test/support/onnx.ts';
import type { VitShape } from '../vit-model.ts';

export interface Contender {
  name: string;
  /** Batches that are under way at once. */
  concurrency: number;
  run: (batch: number) => Promise<void>;
  close: () => Promise<void>;
}

interface Device {
  provider: ExecutionProvider;
  device: number;
}

/** A session on this thread, whose pixels are numbers in the right order already. */
export async function bare(
  file: string,
  { provider, device }: Device,
  { imageSize }: VitShape,
  maxBatch: number,
): Promise<Contender> {
  const onDevice = { name: provider, deviceId: device };
  // As in the encoder: CUDA for what TensorRT does not take.
  const executionProviders =
    provider === 'tensorrt' ? [onDevice, { ...onDevice, name: 'cuda' }] : [onDevice];
  const session = await InferenceSession.create(file, {
    executionProviders,
    logSeverityLevel: 4,
    // As in the encoder, for dry runs on a busy CPU: threads that wait do not spin.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const perImage = 3 * imageSize ** 2;
  const pixels = Float32Array.from({ length: maxBatch * perImage }, (_, at) => Math.sin(at));
  return runs('bare', session, pixels, [3, imageSize, imageSize]);
}

/**
 * Hands a batch of the same size to the device and takes embeddings of the same size back, with nothing computed in
 * between: what both copies and the call cost. On the CPU nothing is copied.
 */
export async function copyOnly(
  { provider, device }: Device,
  shape: VitShape,
  maxBatch: number,
): Promise<Contender> {
  const perImage = 3 * shape.imageSize ** 2;
  const model = onnxModel({
    inputs: [{ name: 'pixel_values', type: 'float32', shape: ['batch', perImage] }],
    outputs: [{ name: 'image_embeds', type: 'float32', shape: ['batch', shape.dimensions] }],
    constants: [
      { name: 'start', type: 'int64', shape: [1], values: [0] },
      { name: 'end', type: 'int64', shape: [1], values: [shape.dimensions] },
      { name: 'axis', type: 'int64', shape: [1], values: [1] },
    ],
    nodes: [
      {
        op: 'Slice',
        inputs: ['pixel_values', 'start', 'end', 'axis'],
        outputs: ['image_embeds'],
      },
    ],
  });
  const name = provider === 'tensorrt' ? 'cuda' : provider;
  const session = await InferenceSession.create(model, {
    executionProviders: [{ name, deviceId: device }],
  });
  return runs('copy', session, new Float32Array(maxBatch * perImage).fill(0.5), [perImage]);
}

function runs(
  name: string,
  session: InferenceSession,
  pixels: Float32Array,
  dims: readonly number[],
): Contender {
  const perImage = dims.reduce((product, each) => product * each, 1);
  return {
    name,
    concurrency: 1,
    run: async (batch) => {
      const input = new Tensor('float32', pixels.subarray(0, batch * perImage), [batch, ...dims]);
      const { image_embeds: embeddings } = await session.run({ pixel_values: input });
      if (embeddings?.dims[0] !== batch) throw new Error(`${name}: no embedding for each image`);
    },
    close: () => session.release(),
  };
}

/** Bytes in, embeddings out, as the service uses it: with as many batches under way as there are workers. */
export async function encoder(
  model: string,
  { provider, device }: Device,
  workers: number,
  { maxBatch, goldenCache }: { maxBatch: number; goldenCache: GoldenCache },
): Promise<Contender> {
  const it = await createWorkerClipEncoder({
    model,
    executionProvider: provider,
    devices: [device],
    workers,
    maxBatchSize: maxBatch,
    textIdleMs: 0,
    goldenCache,
  });
  const { width, height } = it.info.preprocess;
  const data = goldenImage(width, height);
  return {
    name: `encoder, ${workers} worker${workers === 1 ? '' : 's'}`,
    concurrency: it.concurrency,
    run: async (batch) => {
      await it.encodeImages(Array.from({ length: batch }, () => ({ data, width, height })));
    },
    close: () => it.close(),
  };
}
