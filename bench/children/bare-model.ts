/** What the limits take from the product: its codec, its graph, its session options and its batch size. */
import { availableParallelism } from 'node:os';
import { loadConfig } from '../../src/config.ts';
import type { Pixels } from '../../src/images/image-decoder.ts';
import { createNativeDecoder } from '../../src/images/native-decoder.ts';
import { decoderSettingsOf } from '../../src/inspector.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { openVisionTower } from '../../src/model/ort-session.ts';
import { createPixelTensor } from '../../src/model/pixel-tensor.ts';
import { resolveModel } from '../../src/model/store.ts';
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
  const { executionProvider, deviceId } = config.model;
  const tower = await openVisionTower(model, { executionProvider, deviceId, threads });
  const tensor = createPixelTensor(model.preprocess, BATCH);
  return async (bytes, count) => {
    await tower.run({ pixels: tensor.fill(bytes, count), count });
  };
}
