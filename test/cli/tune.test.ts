import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { loadConfig } from '../../src/config.ts';
import { packageFile } from '../../src/package-files.ts';
import { runCli } from '../support/cli.ts';
import { modelFolder, removeFolder } from '../support/onnx-models.ts';

jest.setTimeout(120_000);

let folder: string;
let model: string;
let config: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moderato-tune-'));
  model = await modelFolder();
  config = join(folder, 'moderato.yaml');
  await mkdir(join(folder, 'images'));
  for (const name of ['square-128x128.jpg', 'wee.jpg']) {
    await cp(packageFile(`test/fixtures/pdq/${name}`), join(folder, 'images', name));
  }
  await writeFile(
    config,
    `# ours
kafka: { brokers: ['127.0.0.1:9'] } # nobody listens there
topics: { input: a, verdicts: b, deadLetters: c }
policies: ${packageFile('policies/demo.yaml')}
model:
  path: ${model} # tiny
`,
  );
});
afterAll(() => Promise.all([removeFolder(model), rm(folder, { recursive: true })]));

const quick = ['--seconds', '0.1', '--rounds', '1'];

describe('moderato tune', () => {
  it('measures the real parts and writes a configuration that can be loaded', async () => {
    const output = join(folder, 'tuned.yaml');
    const { code, stdout, stderr } = await runCli(
      ['tune', '-c', config, '--images', join(folder, 'images'), '-o', output, ...quick],
      { MODERATO_BATCHING_MAX_BATCH_SIZE: '2', MODERATO_IMAGES_DECODERS: '1' },
    );
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(
      /^workers x threads \d+ x \d+, round 1: [\d.]+ images\/s, batches of [12]\.\d in \d+ ms/m,
    );
    expect(stderr).not.toMatch(/^(batch size|decoders)/m);
    expect(stderr).toContain(
      'batching.maxBatchSize is set by MODERATO_BATCHING_MAX_BATCH_SIZE and was left alone.',
    );
    expect(stderr).toMatch(/^(In the end|The given configuration)/m);
    const yaml = await readFile(output, 'utf8');
    expect(yaml).toMatch(/^# ours\n[^]*# nobody listens there\n[^]*# tiny\n/);
    const { config: tuned } = await loadConfig(output, {});
    expect(tuned.model.path).toBe(model);
    // What is said to be changed is what is written, with its reason.
    for (const [, key, value, why] of stderr.matchAll(/^ {2}model\.(\w+): (\d+) {2}(.+)$/gm)) {
      expect(yaml).toMatch(
        new RegExp(`# tuned \\d{4}-.*: ${RegExp.escape(why ?? '')}\n  ${key}: ${value}\n`),
      );
    }
  });

  it('ends with all its processes at a signal, and leaves the configuration as it was', async () => {
    const before = await readFile(config, 'utf8');
    const args = ['tune', '-c', config, '--images', join(folder, 'images'), '--write'];
    const child = spawn(process.execPath, [packageFile('src/cli.ts'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const trial = await firstChildOf(child.pid ?? 0);
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(stderr).toContain('moderato: aborted: tuning: stopped before the end');
    expect(() => process.kill(trial, 0)).toThrow('ESRCH');
    expect(await readFile(config, 'utf8')).toBe(before);
  });

  it('refuses what it cannot do, with the reason', async () => {
    const bad = join(folder, 'bad.jpg');
    await writeFile(bad, 'not a picture');
    const told = await Promise.all([
      runCli(['tune', '-c', config, '--images', bad, ...quick]),
      runCli(['tune', '-c', config, '--images', join(folder, 'absent'), ...quick]),
      runCli(['tune', '-c', config, '-o', join(bad, 'x.yaml'), ...quick]),
      runCli(['tune', '-c', config, '--seconds', '0']),
      runCli(['tune', '-c', config, '--write', '-o', 'x.yaml']),
    ]);
    expect(told.map(({ code }) => code)).toEqual([1, 1, 1, 1, 1]);
    expect(told.map(({ stderr }) => stderr)).toEqual([
      expect.stringMatching(
        /^moderato: usage: tuning: none of the 1 images can be inspected; .*bad/m,
      ),
      expect.stringMatching(/^moderato: usage: looking for images: .*absent/),
      expect.stringMatching(/^moderato: usage: writing .*x\.yaml/),
      expect.stringContaining('expected a number of seconds'),
      expect.stringContaining("'--write' cannot be used with"),
    ]);
  });
});

/** Its process id, once there is one. */
async function firstChildOf(pid: number): Promise<number> {
  for (;;) {
    const threads = await readdir(`/proc/${pid}/task`);
    for (const thread of threads) {
      const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(
        () => '',
      );
      const [first] = children.trim().split(' ').filter(Boolean).map(Number);
      if (first !== undefined) return first;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
