/** JPEG to the model's pixels, in process and one at a time, as a decoder process does it. */
import { onEachPhoto, report } from './child.ts';
import { decoder } from './decoding.ts';

await report(await onEachPhoto(1, (photo) => decoder.decode(photo)));
process.disconnect();
