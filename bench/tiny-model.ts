import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFile } from '../src/package-files.ts';

/**
 * A real CLIP export with random weights, in `folder`: its verdicts mean nothing, and its inference is soon over.
 * Returns the model's folder.
 */
export async function prepareTinyModel(folder: string): Promise<string> {
  const model = join(folder, 'tiny-clip');
  await cp(packageFile('test/fixtures/parity/tiny-clip'), model, { recursive: true });
  await writeFile(join(model, 'moderato.json'), '{"logit_scale": 100}');
  return model;
}
