/** What the decoder pool is there instead of: the same decoding in the process that wants the pixels. */
import { availableParallelism } from 'node:os';
import { loadConfig } from '../../src/config.ts';
import { Gate } from '../../src/gate.ts';
import { createNativeDecoder } from '../../src/images/native-decoder.ts';
import { decoderSettingsOf } from '../../src/inspector.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { resolveModel } from '../../src/model/store.ts';
import { now, photoOf, report, settings } from './child.ts';

const { config } = await loadConfig(settings.configFile);
const { preprocess } = await readModelFolder(await resolveModel(config.model.path));
const decoder = createNativeDecoder(decoderSettingsOf(config.images, preprocess));

const moments: number[] = [];
const waiting = new Gate(2 * availableParallelism());
const images: Array<Promise<void>> = [];
for (let event = 0; event < settings.events; event++) {
  await waiting.enter();
  images.push(decode(photoOf(event)).finally(() => waiting.leave()));
}
await Promise.all(images);
await report(moments);
process.disconnect();

async function decode(photo: Buffer): Promise<void> {
  await decoder.decode(photo);
  moments.push(now());
}
