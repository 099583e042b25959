/**
 * The limit again, without any hand-over: each core has a thread that decodes a batch and infers it with one thread
 * of the runtime, so that no two of them ever wait for each other.
 */
import { CORES } from './bare-model.ts';
import { runThread } from './bare-threads.ts';
import { report } from './child.ts';

const taken = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
const threads = Array.from({ length: CORES }, () => runThread<number[]>('bare-core', taken));
await report((await Promise.all(threads)).flat());
process.disconnect();
