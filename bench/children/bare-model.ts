/** What the limits take from the product: its codec, its graph, its session options and its batch size. */
import { availableParallelism } from 'node:os';
import type { Pixels } from '../../src/images/image-decoder.ts';
import { preparedFolder } from '../../src/model/store.ts';
import { openVisionEncoder } from '../../src/model/vision-encoder.ts';
import { config, decoder, model } from './decoding.ts';

const { width, height } = model.preprocess;

export const BATCH = config.batching.maxBatchSize;
/** Bytes of one image's pixels, `[height, width, 3]`. */
export const PIXEL_BYTES = width * height * 3;
export const CORES = availableParallelism();

/** Encoded bytes to pixels in the calling thread. Throws for an image that is looked at more than once. */
export function openDecoder(): (photo: Buffer) => Promise<Pixels> {
  return async (photo) => {
    const { views } = await decoder.decode(photo);
    const [view] = views;
    if (view === undefined || views.length > 1) {
      throw new RangeError(
        `${views.length} views of one photo: the limits count one inference each`,
      );
    }
    return view.pixels;
  };
}

/** Infers `count` images, `[count, height, width, 3]`, in the calling thread. */
export async function openEncoder(
  threads: number,
): Promise<(bytes: Uint8Array, count: number) => Promise<void>> {
  const { executionProvider, devices, graph } = config.model;
  const [deviceId = 0] = devices;
  const vision = await openVisionEncoder({
    model,
    graph,
    runtime: { executionProvider, deviceId, threads },
    preparedFolder: preparedFolder(),
    maxBatchSize: BATCH,
  });
  return async (bytes, count) => {
    await vision.encode({ bytes: bytes.subarray(0, count * PIXEL_BYTES), count });
  };
}
