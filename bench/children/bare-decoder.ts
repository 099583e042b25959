/** A decoding thread of `bare`. */
import { parentPort, workerData } from 'node:worker_threads';
import { openDecoder } from './bare-model.ts';
import { Ring, type RingMemory } from './bare-ring.ts';
import { photoOf, settings } from './child.ts';

const ring = new Ring(workerData as RingMemory);
const decode = openDecoder();
for (let event = ring.take(); event < settings.events; event = ring.take()) {
  const { data } = await decode(photoOf(event));
  ring.put(event, data);
}
parentPort?.postMessage('done');
