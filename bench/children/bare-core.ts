/** One thread of `bare-per-core`. */
import { parentPort, workerData } from 'node:worker_threads';
import { BATCH, openDecoder, openEncoder, PIXEL_BYTES } from './bare-model.ts';
import { now, photoOf, settings } from './child.ts';

const taken = new Int32Array(workerData as SharedArrayBuffer);
const decode = openDecoder();
const infer = await openEncoder(1);
const pixels = new Uint8Array(BATCH * PIXEL_BYTES);
const moments: number[] = [];
for (
  let first = Atomics.add(taken, 0, BATCH);
  first < settings.events;
  first = Atomics.add(taken, 0, BATCH)
) {
  const count = Math.min(BATCH, settings.events - first);
  for (let index = 0; index < count; index++) {
    pixels.set((await decode(photoOf(first + index))).data, index * PIXEL_BYTES);
  }
  await infer(pixels, count);
  const done = now();
  for (let index = 0; index < count; index++) moments.push(done);
}
parentPort?.postMessage(moments);
