import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CATALOG, type CatalogEntry } from '../../src/model/catalog.ts';
import { pullModel, type PullResult } from '../../src/model/pull.ts';
import { modelsFolder, resolveModel } from '../../src/model/store.ts';
import { modelFolder, temporaryFolder } from '../support/onnx-models.ts';

const COMMIT = 'a'.repeat(40);
const NAMES = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer_config.json',
  'tokenizer.json',
  'onnx/text_model.onnx',
  'onnx/vision_model.onnx',
];
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const blobId = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

let cache: string;
let files: Map<string, Buffer>;
let server: Server;
let asked: string[];
/** What the hub says of a file, where it lies. */
let lies: Record<string, object>;

/** A hub with one repository: graphs in large-file storage, the rest in Git. */
function listing(): object[] {
  return [...files].map(([rfilename, content]) => ({
    rfilename,
    size: content.length,
    blobId: rfilename.endsWith('.onnx') ? 'pointer' : blobId(content),
    ...(rfilename.endsWith('.onnx') && { lfs: { sha256: sha256(content) } }),
    ...lies[rfilename],
  }));
}

beforeEach(async () => {
  const source = await modelFolder();
  files = new Map();
  for (const name of NAMES) files.set(name, await readFile(join(source, name)));
  cache = await temporaryFolder();
  asked = [];
  lies = {};
  server = createServer((request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    if (url.startsWith('/api/models/some/clip/revision/')) {
      response.end(JSON.stringify({ sha: COMMIT, siblings: listing() }));
      return;
    }
    const body = files.get(url.replace(`/some/clip/resolve/${COMMIT}/`, ''));
    response.writeHead(body ? 200 : 404, { etag: '"x"' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const folder = (): string => join(modelsFolder(cache), 'tiny');
const pull = (parts: Partial<CatalogEntry> = {}): Promise<PullResult> =>
  pullModel({
    entry: {
      name: 'tiny',
      title: 'Tiny',
      repo: 'some/clip',
      revision: 'main',
      licence: 'MIT',
      files: NAMES.map((name) => ({ name })),
      manifest: { score: 'softmax', logit_scale: 100, logit_bias: 0 },
      ...parts,
    },
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    folder: folder(),
  });
const downloads = (): string[] => asked.filter((url) => url.includes('/resolve/'));

describe('pulling a model', () => {
  it('gives a folder that can be used by its name, with the trained logit scale', async () => {
    await expect(resolveModel('tiny', { cache })).rejects.toMatchObject({
      code: 'model_not_found',
    });
    const { model, commit } = await pull();
    expect(await resolveModel('tiny', { cache })).toBe(folder());
    expect(commit).toBe(COMMIT);
    expect(model).toMatchObject({ id: 'tiny', scoring: { logitScale: 100 } });
  });

  it('fetches every file at the commit that the branch pointed to', async () => {
    await pull();
    expect(downloads()).toEqual(NAMES.map((name) => `/some/clip/resolve/${COMMIT}/${name}`));
  });

  it('says which files no pinned hash stood for, once', async () => {
    const config = files.get('config.json') ?? Buffer.alloc(0);
    const entry = NAMES.map((name) =>
      name === 'config.json' ? { name, sha256: sha256(config) } : { name },
    );
    expect((await pull({ files: entry })).trustedOnFirstUse).toEqual(NAMES.slice(1));
    expect((await pull({ files: entry })).trustedOnFirstUse).toEqual([]);
  });

  it('fetches only what is missing when it is run again', async () => {
    await pull();
    asked = [];
    await rm(join(folder(), 'tokenizer.json'));
    await pull();
    expect(downloads()).toEqual([`/some/clip/resolve/${COMMIT}/tokenizer.json`]);
    expect(asked[0]).toContain(`/revision/${COMMIT}`);
  });

  it('mends a file that was changed on this machine', async () => {
    await pull();
    await writeFile(join(folder(), 'onnx/vision_model.onnx'), 'spoilt');
    await pull();
    expect(await readFile(join(folder(), 'onnx/vision_model.onnx'))).toEqual(
      files.get('onnx/vision_model.onnx'),
    );
  });

  it('has the same identity on every machine', async () => {
    const { model } = await pull();
    cache = await temporaryFolder();
    expect((await pull()).model.hash).toBe(model.hash);
  });
});

describe('a hub that serves something else', () => {
  it('is refused when a pinned hash is not met', async () => {
    const pinned = NAMES.map((name) => ({ name, sha256: 'b'.repeat(64) }));
    await expect(pull({ files: pinned })).rejects.toMatchObject({ code: 'model_corrupt' });
  });

  it('is refused when the content changed since the first pull', async () => {
    await pull();
    await rm(join(folder(), 'tokenizer.json'));
    files.set('tokenizer.json', Buffer.from('{}'));
    await expect(pull()).rejects.toMatchObject({ code: 'model_corrupt' });
  });

  it('is refused when a file is not what the hub itself says, large or small', async () => {
    lies = { 'onnx/text_model.onnx': { lfs: { sha256: 'c'.repeat(64) } } };
    await expect(pull()).rejects.toMatchObject({ code: 'model_corrupt' });
    lies = { 'config.json': { blobId: 'd'.repeat(40) } };
    await expect(pull()).rejects.toThrow('Git object id');
    await expect(resolveModel('tiny', { cache })).rejects.toMatchObject({
      code: 'model_not_found',
    });
  });

  it('is told apart from no hub at all', async () => {
    await expect(pull({ repo: 'other/clip' })).rejects.toMatchObject({
      code: 'model_download_failed',
      message: expect.stringContaining('404') as unknown,
    });
    files.delete('tokenizer.json');
    await expect(pull()).rejects.toThrow('some/clip has no tokenizer.json');
  });
});

describe('looking for a model', () => {
  it('takes starter for the one that ships, and anything with a slash for a folder', async () => {
    expect(await resolveModel('starter')).toMatch(/models\/starter$/);
    const path = await modelFolder();
    expect(await resolveModel(path)).toBe(path);
    await expect(resolveModel('./nowhere', { base: path })).rejects.toMatchObject({
      code: 'model_not_found',
    });
  });

  it('names the command that pulls a model of the catalogue', async () => {
    await expect(resolveModel('clip-vit-base-patch32', { cache })).rejects.toThrow(
      'moderato models pull clip-vit-base-patch32',
    );
    await expect(resolveModel('clip', { cache })).rejects.toThrow('Known names: starter, clip-vit');
  });
});

it('lists only hashes and commits that can be ones', () => {
  for (const { revision, files: listed } of CATALOG) {
    expect(revision).toMatch(/^(main|[0-9a-f]{40})$/);
    for (const file of listed) expect(file.sha256 ?? '0'.repeat(64)).toMatch(/^[0-9a-f]{64}$/);
  }
});
