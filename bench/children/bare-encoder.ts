/** The inferring thread of `bare`. */
import { parentPort, workerData } from 'node:worker_threads';
import { BATCH, CORES, openEncoder } from './bare-model.ts';
import { Ring, type RingMemory } from './bare-ring.ts';
import { now, settings } from './child.ts';

const ring = new Ring(workerData as RingMemory);
const infer = await openEncoder(CORES);
const moments: number[] = [];
for (let first = 0; first < settings.events; first += BATCH) {
  const count = Math.min(BATCH, settings.events - first);
  await infer(ring.batch(first, count), count);
  ring.release(count);
  const done = now();
  for (let index = 0; index < count; index++) moments.push(done);
}
parentPort?.postMessage(moments);
