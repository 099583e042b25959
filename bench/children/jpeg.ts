/** JPEG to the model's pixels, in process and one at a time, as a decoder process does it. */
import { loadConfig } from '../../src/config.ts';
import { createNativeDecoder } from '../../src/images/native-decoder.ts';
import { decoderSettingsOf } from '../../src/inspector.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { resolveModel } from '../../src/model/store.ts';
import { onEachPhoto, report, settings } from './child.ts';

const { config } = await loadConfig(settings.configFile);
const { preprocess } = await readModelFolder(await resolveModel(config.model.path));
const decoder = createNativeDecoder(decoderSettingsOf(config.images, preprocess));

await report(await onEachPhoto(1, (photo) => decoder.decode(photo)));
process.disconnect();
