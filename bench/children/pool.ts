/** The decoder pool by itself: what `loop` does, with images and pixels going through it. */
import { availableParallelism } from 'node:os';
import { loadConfig } from '../../src/config.ts';
import { createDecoderPool } from '../../src/images/decoder-pool.ts';
import { decoderSettingsOf } from '../../src/inspector.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { resolveModel } from '../../src/model/store.ts';
import { onEachPhoto, report, settings } from './child.ts';

const { config } = await loadConfig(settings.configFile);
const { preprocess } = await readModelFolder(await resolveModel(config.model.path));
const processes = config.images.decoders || availableParallelism();
const pool = createDecoderPool({
  ...decoderSettingsOf(config.images, preprocess),
  processes,
  timeoutMs: config.images.decodeTimeoutMs,
  memoryBytes: config.images.decoderMemoryBytes,
});
await pool.ready();

// Each process has an image, and the next one waits for it.
const moments = await onEachPhoto(2 * processes, (photo) => pool.decode(photo));
await report(moments);
await pool.close();
process.disconnect();
