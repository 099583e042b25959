/** What the limits take from the product: its codec, its graph, its session options and its batch size. */
import { availableParallelism } from 'node:os';
import { loadConfig } from '../../src/config.ts';
import type { Pixels } from '../../src/images/image-decoder.ts';
import { createNativeDecoder } from '../../src/images/native-decoder.ts';
import { decoderSettingsOf } from '../../src/inspector.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { preparedFolder, resolveModel } from '../../src/model/store.ts';
import { openVisionEncoder } from '../../src/model/vision-encoder.ts';
import { settings } from './child.ts';

const { config } = await loadConfig(settings.configFile);
const model = await readModelFolder(await resolveModel(config.model.path));
const { width, height } = model.preprocess;

export const BATCH = config.batching.maxBatchSize;
/** Bytes of one image's pixels, `[height, width, 3]`. */
export const PIXEL_BYTES = width * height * 3;
export const CORES = availableParallelism();

/** Encoded bytes to pixels in the calling thread. Throws for an image that is looked at more than once. */
export function openDecoder(): (photo: Buffer) => Promise<Pixels> {
  const decoder = createNativeDecoder(decoderSettingsOf(config.images, model.preprocess));
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
