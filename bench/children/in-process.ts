/** What the decoder pool is there instead of: the same decoding in the process that wants the pixels. */
import { availableParallelism } from 'node:os';
import { loadConfig } from '../../src/config.ts';
import { createNativeDecoder } from '../../src/images/native-decoder.ts';
import { decoderSettingsOf } from '../../src/inspector.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { resolveModel } from '../../src/model/store.ts';
import { onEachPhoto, report, settings } from './child.ts';

const { config } = await loadConfig(settings.configFile);
const { preprocess } = await readModelFolder(await resolveModel(config.model.path));
const decoder = createNativeDecoder(decoderSettingsOf(config.images, preprocess));

await report(await onEachPhoto(2 * availableParallelism(), (photo) => decoder.decode(photo)));
process.disconnect();
