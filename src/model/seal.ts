import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEncoderThread } from './encoder-thread.ts';
import { GOLDEN_TEXT, toBase64, type Golden } from './golden.ts';
import { readJsonFile } from './model-files.ts';
import { readModelFolder } from './model-folder.ts';
import { manifestSchema, type Manifest } from './model-manifest.ts';
import { preparedFolder } from './store.ts';

/**
 * Writes the hash of every file, and the golden embeddings that this machine's CPU computes, into the
 * folder's `moderato.json`, keeping what else it says. From then on any other content or arithmetic is
 * refused. The model's identity changes, for `moderato.json` is part of it.
 */
export async function sealModel(folder: string): Promise<Manifest> {
  const manifest = (await readJsonFile(folder, 'moderato.json', manifestSchema)) ?? {};
  const model = await readModelFolder(folder);
  const thread = await startEncoderThread({
    model,
    runtime: { executionProvider: 'cpu', deviceId: 0, threads: 1 },
    // The reference: what the exported graph itself computes.
    graph: 'plain',
    preparedFolder: preparedFolder(),
    maxBatchSize: 1,
    textIdleMs: 0,
    goldenText: GOLDEN_TEXT,
  });
  await thread.close();
  const sealed: Manifest = {
    ...manifest,
    files: Object.fromEntries(
      model.files
        .filter(({ name }) => name !== 'moderato.json')
        .map(({ name, bytes, sha256 }) => [name, { bytes, sha256 }]),
    ),
    golden: goldenEntry(thread.golden, manifest.golden?.tolerance),
  };
  await writeFile(join(folder, 'moderato.json'), `${JSON.stringify(sealed, null, 2)}\n`);
  return sealed;
}

function goldenEntry(golden: Golden, tolerance?: number): Manifest['golden'] {
  return {
    image: 'gradient-1',
    text: golden.text,
    image_embedding: toBase64(golden.imageEmbedding),
    text_embedding: toBase64(golden.textEmbedding),
    ...(tolerance !== undefined && { tolerance }),
  };
}
