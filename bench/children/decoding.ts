/** What the programs that decode in this process take from the product. */
import { loadConfig } from '../../src/config.ts';
import { createNativeDecoder } from '../../src/images/native-decoder.ts';
import { decoderSettingsOf } from '../../src/inspector.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { resolveModel } from '../../src/model/store.ts';
import { settings } from './child.ts';

export const { config } = await loadConfig(settings.configFile);
export const model = await readModelFolder(
  await resolveModel(config.model.path),
  config.model.precision,
);
export const decoder = createNativeDecoder(decoderSettingsOf(config.images, model.preprocess));
