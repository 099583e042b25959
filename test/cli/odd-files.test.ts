import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { findImages } from '../../src/cli/image-files.ts';
import { printable, printableLines } from '../../src/cli/printable.ts';
import { reportEntry } from '../../src/cli/report.ts';
import type { Verdict } from '../../src/events/types.generated.ts';
import type { DecoderPool } from '../../src/images/decoder-pool.ts';
import { packageFile } from '../../src/package-files.ts';
import { runCli } from '../support/cli.ts';

jest.setTimeout(60_000);

const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
const vase = packageFile('samples/vase.jpg');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'moderato-odd-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (name: string | Buffer): void => {
  copyFileSync(vase, Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]));
};

describe('moderato scan', () => {
  it('judges the other files beside a name that is not UTF-8, and lists that one', async () => {
    put('a.jpg');
    put(Buffer.from('caf\xe9.jpg', 'latin1'));
    const [report, output] = [join(folder, 'r.html'), join(folder, 'o.jsonl')];
    const { code, stderr } = await runCli(['scan', folder, '-r', report, '-o', output]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('2 verdicts')]);
    const verdicts = readFileSync(output, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Verdict);
    const reasons = verdicts.map(({ eventId, reason }) => [basename(eventId ?? ''), reason?.code]);
    expect(reasons).toContainEqual(['caf\ufffd.jpg', 'image_not_found']);
    expect(reasons).toContainEqual(['a.jpg', undefined]);
    expect(readFileSync(report, 'utf8')).toContain('caf\ufffd.jpg');
  });

  it('shows no thumbnail of a file that went away after its verdict, of a folder or of a pipe', async () => {
    const images = {
      thumbnail: () => Promise.reject(new Error('asked')),
    } as unknown as DecoderPool;
    const file = join(folder, 'gone.jpg');
    const verdict = {} as Verdict;
    const pipe = join(folder, 'pipe.jpg');
    execFileSync('mkfifo', [pipe]);
    for (const path of [file, folder, pipe]) {
      expect(await reportEntry(images, { file: path, name: 'x', verdict })).toMatchObject({
        thumbnail: null,
      });
    }
  });
});

describe('the images below a folder', () => {
  it('are found beside loops of links, pipes and folders with the name of an image', async () => {
    put('a.jpg');
    symlinkSync('.', join(folder, 'loop'));
    symlinkSync('self.jpg', join(folder, 'self.jpg'));
    mkdirSync(join(folder, 'folder.jpg'));
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    expect(await findImages([folder])).toEqual([join(folder, 'a.jpg')]);
  });

  it('are told by their content, and what is left out is counted', async () => {
    put('a.jpg');
    put('without-an-ending');
    put('photo.txt');
    copyFileSync(packageFile('samples/phone-photo.heic'), join(folder, 'IMG_0001'));
    writeFileSync(join(folder, 'broken.png'), 'not a picture');
    writeFileSync(join(folder, 'notes.md'), '# Notes');
    writeFileSync(join(folder, 'letter'), 'Dear Sir');
    writeFileSync(join(folder, 'form'), '%PDF-1.7\n');
    writeFileSync(join(folder, 'noise'), Buffer.from([1, 2, 3, 4, 0]));
    const told: string[] = [];
    const found = await findImages([folder], { onLeftOut: (why) => told.push(why) });
    const expected = ['IMG_0001', 'a.jpg', 'broken.png', 'photo.txt', 'without-an-ending'];
    expect(found.map((file) => basename(file))).toEqual(expected);
    expect(told).toEqual([
      'left out 4 files that are no images: 2 text, 1 of an unknown format, 1 PDF',
    ]);
  });

  it('that are not decoded are judged not_inspected by their names, and the rest is counted', async () => {
    copyFileSync(packageFile('samples/phone-photo.heic'), join(folder, 'IMG_0001'));
    writeFileSync(join(folder, 'notes.md'), '# Notes');
    const { code, stdout, stderr } = await runCli(['score', folder]);
    const { outcome, reason } = JSON.parse(stdout) as Verdict;
    expect([code, outcome, reason?.message]).toEqual([
      0,
      'not_inspected',
      expect.stringContaining('a HEIC; decoded are jpeg'),
    ]);
    expect(stderr).toBe('left out 1 file that is no image: 1 text\n');
  });

  it('are refused when the path itself is a pipe, which would never end', async () => {
    const pipe = join(folder, 'pipe.jpg');
    execFileSync('mkfifo', [pipe]);
    await expect(findImages([pipe])).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('neither a file nor a folder'),
    });
  });

  it('are found beside a folder that may not be read, which is told of', async () => {
    put('a.jpg');
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'secret'), 0o000);
    const sources = ['cli/image-files.ts', 'cli/printable.ts', 'errors.ts', 'package-files.ts'];
    for (const file of [...sources, 'images/name-content.ts', 'images/sniff-format.ts']) {
      cpSync(packageFile(`src/${file}`), join(folder, 'src', file));
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const program = `
      import { findImages } from ${JSON.stringify(join(folder, 'src/cli/image-files.ts'))};
      console.log(JSON.stringify(await findImages([${JSON.stringify(folder)}])));`;
    // Root may read everything.
    const uid = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      ...uid,
      cwd: '/',
    });
    const texts = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
    await once(child, 'close');
    expect(texts.err).toMatch(
      /^skipping a folder: EACCES.*secret'\nleft out 7 files .*: 7 text\n$/,
    );
    expect(JSON.parse(texts.out)).toEqual([join(folder, 'a.jpg')]);
    unlinkSync(join(folder, 'a.jpg'));
  });
});

describe('what a terminal obeys', () => {
  const evil = 'x\u001b]0;owned\u0007\u009b31m\u202e\r.jpg';

  it('is not in printable text, of which only line feeds stay', () => {
    expect(printable(`${evil}\n`)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(printableLines(`a\n${evil}\nb`).split('\n')).toEqual(['a', printable(evil), 'b']);
  });

  it.each([
    ['check', ['check', '--offline', '-c']],
    ['hash', ['hash']],
    ['models verify', ['models', 'verify']],
    ['models seal', ['models', 'seal']],
    ['score', ['score']],
    ['scan', ['scan']],
    ['tune', ['tune', '-c']],
    ['reconcile', ['reconcile', '-c']],
    ['tail', ['tail', '-c']],
    ['topics create', ['topics', 'create', '-c']],
  ])('is not printed by %s of a path that is not there', async (_, args) => {
    const { code, stdout, stderr } = await runCli([...args, join(folder, evil)]);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('owned');
    expect(stdout + stderr).not.toMatch(CONTROL);
  });

  it('is not printed by hash, neither on stdout nor on stderr', async () => {
    put(evil);
    writeFileSync(join(folder, `broken${evil}`), 'not a picture');
    const { stdout, stderr } = await runCli(['hash', folder]);
    expect([stdout, stderr]).toEqual([
      expect.stringContaining('owned'),
      expect.stringContaining('owned'),
    ]);
    expect(stdout + stderr).not.toMatch(CONTROL);
  });

  it('stays in JSON, escaped', async () => {
    put(evil);
    const { stdout } = await runCli(['score', join(folder, evil), '--json']);
    expect((JSON.parse(stdout) as Verdict).eventId).toContain(evil);
  });
});
