/** The limit of the decoder pool: as many processes, each decoding its share of the photos from its own memory. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config.ts';
import { decoderSettingsOf } from '../../src/inspector.ts';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { resolveModel } from '../../src/model/store.ts';
import { report, settings, type ChildReport, type ChildSettings } from './child.ts';

const { config } = await loadConfig(settings.configFile);
const { preprocess } = await readModelFolder(await resolveModel(config.model.path));
const processes = config.images.decoders || availableParallelism();
const decoder = decoderSettingsOf(config.images, preprocess);

const shares = Array.from({ length: processes }, async () => {
  const share: ChildSettings = { ...settings, events: Math.ceil(settings.events / processes) };
  const program = fileURLToPath(new URL('./loop-process.ts', import.meta.url));
  const child = fork(program, [JSON.stringify(share), JSON.stringify(decoder)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const failed = once(child, 'close').then(([code]) => {
    throw new Error(`a process of the loop ended with code ${String(code)}`);
  });
  const done = once(child, 'message').then(([message]) => (message as ChildReport).moments);
  const moments = await Promise.race([done, failed]);
  failed.catch(() => undefined); // it has nothing more to do
  child.disconnect();
  return moments;
});
await report((await Promise.all(shares)).flat());
process.disconnect();
