/** The decoder pool by itself: what `loop` does, with images and pixels going through it. */
import { availableParallelism } from 'node:os';
import { loadConfig } from '../../src/config.ts';
import { Gate } from '../../src/gate.ts';
import { createDecoderPool } from '../../src/images/decoder-pool.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { resolveModel } from '../../src/model/store.ts';
import { now, photoOf, report, settings } from './child.ts';

const { config } = await loadConfig(settings.configFile);
const { preprocess } = await readModelFolder(await resolveModel(config.model.path));
const processes = config.images.decoders || availableParallelism();
const pool = createDecoderPool({
  ...config.images,
  preprocess,
  processes,
  timeoutMs: config.images.decodeTimeoutMs,
  memoryBytes: config.images.decoderMemoryBytes,
});
await pool.ready();

const moments: number[] = [];
// Each process has an image, and the next one waits for it.
const waiting = new Gate(2 * processes);
const images: Array<Promise<void>> = [];
for (let event = 0; event < settings.events; event++) {
  await waiting.enter();
  images.push(decode(photoOf(event)).finally(() => waiting.leave()));
}
await Promise.all(images);
await report(moments);
await pool.close();
process.disconnect();

async function decode(photo: Buffer): Promise<void> {
  await pool.decode(photo);
  moments.push(now());
}
