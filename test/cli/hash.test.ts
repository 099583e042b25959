import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { HashList } from '../../src/hashes/hash-list.ts';
import { parseHashList } from '../../src/hashes/parse-hash-list.ts';
import { packageFile } from '../../src/package-files.ts';
import { runCli } from '../support/cli.ts';
import { blockList } from '../support/hash-lists.ts';

jest.setTimeout(60_000);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moderato-hash-'));
});
afterAll(() => rm(folder, { recursive: true }));

const pictures = ['square-256x256.jpg', 'square-128x128.jpg', 'wee.jpg'].map((name) =>
  packageFile(`test/fixtures/pdq/${name}`),
);

describe('moderato hash', () => {
  it('prints a list that knows the pictures it was made from, in their order', async () => {
    const { code, stdout, stderr } = await runCli(['hash', ...pictures]);
    expect([code, stderr]).toEqual([0, '']);
    const entries = parseHashList(stdout, 'auto', 'stdout');
    expect(entries.map(({ id }) => id?.split('/').at(-1))).toEqual([
      'square-256x256.jpg',
      'square-128x128.jpg',
      'wee.jpg',
    ]);
    const list = new HashList(blockList(), entries);
    for (const [i, file] of pictures.entries()) {
      const bytes = await readFile(file);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(list.match({ sha256, pdq: null })).toMatchObject({ entry: entries[i]?.id });
    }
    const hash = Buffer.from(entries[0]?.pdq ?? '', 'hex');
    const other = new HashList(blockList(), entries.slice(1));
    expect(other.match({ sha256: '', pdq: { hash, quality: 100 } })).toMatchObject({
      by: 'pdq',
      entry: entries[1]?.id,
    });
  });

  it('names what it cannot hash, hashes the rest and exits with 1', async () => {
    const broken = join(folder, 'broken.jpg');
    await writeFile(broken, 'not a picture');
    const { code, stdout, stderr } = await runCli(['hash', broken, pictures[2] ?? '']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/broken\.jpg: image_format_unsupported: /);
    expect(parseHashList(stdout, 'auto', 'stdout')).toHaveLength(1);
  });
});
