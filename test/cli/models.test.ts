import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { modelsCommand } from '../../src/cli/models.ts';
import { modelFolder, readJson, temporaryFolder } from '../support/onnx-models.ts';

jest.setTimeout(30_000);

let lines: string[];
const cacheHome = process.env['XDG_CACHE_HOME'];

beforeEach(async () => {
  lines = [];
  jest.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  process.env['XDG_CACHE_HOME'] = await temporaryFolder();
});
afterEach(() => {
  jest.restoreAllMocks();
  if (cacheHome === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = cacheHome;
});

const run = async (...words: string[]): Promise<string> => {
  await modelsCommand().parseAsync(words, { from: 'user' });
  return lines.join('\n');
};

it('lists the model that ships and those that can be pulled', async () => {
  const output = await run('list');
  expect(output).toContain('starter');
  expect(output).toMatch(/clip-vit-base-patch32.*not pulled/);
});

it('verifies a folder, and says what it runs as', async () => {
  const output = await run('verify', await modelFolder());
  expect(output).toContain('runs on cpu: 3 dimensions, sharp-0.35/bicubic/crop-8-8x8/2');
  expect(output).toContain('softmax, logit scale 100');
  expect(output).toContain('none were known; recorded now');
});

it('seals a folder, so that verifying it meets golden embeddings', async () => {
  const folder = await modelFolder();
  await run('seal', folder);
  expect(await readJson(join(folder, 'moderato.json'))).toMatchObject({ logit_scale: 100 });
  expect(await run('verify', folder)).toContain('golden embeddings: met');
});

it('prepares a model, tells where and how far it is from the exported graph', async () => {
  const folder = await modelFolder();
  const output = await run('prepare', folder);
  expect(output).toContain('built and kept');
  expect(output).toContain('opset 17');
  const [, cosine, number, similarity] =
    /cosine (\S+), a number of an embedding (\S+), a similarity (\S+)/.exec(output) ?? [];
  for (const drift of [cosine, number, similarity]) expect(Number(drift)).toBeLessThan(1e-4);
  expect(await run('prepare', folder)).toContain('found as it was kept');
});

it('takes the graph of another precision, and says which files it looked for', async () => {
  const folder = await modelFolder();
  await expect(run('verify', folder, '--precision', 'int8')).rejects.toMatchObject({
    code: 'model_not_found',
    message: expect.stringContaining(
      'missing onnx/vision_model_quantized.onnx or onnx/vision_model_int8.onnx',
    ) as unknown,
  });
  await cp(join(folder, 'onnx/vision_model.onnx'), join(folder, 'onnx/vision_model_int8.onnx'));
  expect(await run('verify', folder, '--precision', 'int8')).toContain('runs on cpu');
});

it('refuses a name that is not in the catalogue, and says what is', async () => {
  await expect(run('pull', 'clip')).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('siglip2-base-patch16-224') as unknown,
  });
});
