/**
 * The limit of the service: the same images through the same codec and the same runtime, with nothing around them.
 * As many threads as cores decode; one infers with as many threads of the runtime. They take turns on the cores as
 * the service's processes do.
 */
import { createRing, type RingMemory } from './bare-ring.ts';
import { BATCH, CORES, PIXEL_BYTES } from './bare-model.ts';
import { runThread } from './bare-threads.ts';
import { report } from './child.ts';

/** Batches that are decoded or wait while one is inferred. */
const BATCHES = 4;

const ring: RingMemory = createRing(BATCHES * BATCH, PIXEL_BYTES);
const decoders = Array.from({ length: CORES }, () => runThread('bare-decoder', ring));
const [moments] = await Promise.all([runThread<number[]>('bare-encoder', ring), ...decoders]);
await report(moments);
process.disconnect();
