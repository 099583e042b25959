/** The bare limit: sharp in this process's thread pool, one inference thread, nothing else. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { packageFile } from '../../src/package-files.ts';
import { now, photoOf, report, settings } from './child.ts';
import type { BareBatch, BareModel } from './bare-worker.ts';

const BATCH = 16;
/** Batches that are decoded while one is inferred. */
const AHEAD = 2;
const EDGE = 224;

sharp.cache(false);
sharp.concurrency(1); // the photos are decoded at the same time, each by one thread

const model: BareModel = {
  file: packageFile('models/starter/onnx/vision_model.onnx'),
  threads: availableParallelism(), // with one, the other cores wait: decoding is the smaller part
  edge: EDGE,
  mean: 127,
  scale: 1 / 128,
};
const worker = new Worker(new URL('./bare-worker.ts', import.meta.url), { workerData: model });
await once(worker, 'message'); // the model is loaded

const moments: number[] = [];
const ahead: Array<Promise<Buffer[]>> = [];
for (let batch = 0; batch < AHEAD; batch++) ahead.push(decode(batch));
for (let batch = 0; batch * BATCH < settings.events; batch++) {
  const pixels = await ahead[batch];
  ahead.push(decode(batch + AHEAD));
  worker.postMessage({ pixels: pixels ?? [] } satisfies BareBatch);
  await once(worker, 'message');
  const done = now();
  moments.push(...(pixels ?? []).map(() => done));
}
await report(moments);
await worker.terminate();
process.disconnect();

function decode(batch: number): Promise<Buffer[]> {
  const first = batch * BATCH;
  const count = Math.max(0, Math.min(BATCH, settings.events - first));
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      sharp(photoOf(first + index))
        .resize(EDGE, EDGE, { fit: 'cover', kernel: 'cubic' })
        .flatten()
        .raw()
        .toBuffer(),
    ),
  );
}
