/** What the decoder pool is there instead of: the same decoding in the process that wants the pixels. */
import { availableParallelism } from 'node:os';
import { onEachPhoto, report } from './child.ts';
import { decoder } from './decoding.ts';

await report(await onEachPhoto(2 * availableParallelism(), (photo) => decoder.decode(photo)));
process.disconnect();
