import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { VERDICT } from '../../src/events/schemas.ts';
import type { Verdict } from '../../src/events/types.generated.ts';
import { packageFile } from '../../src/package-files.ts';
import { runCli } from '../support/cli.ts';

jest.setTimeout(60_000);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moderato-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

const sample = (name: string): string => packageFile(`samples/${name}`);

describe('moderato check', () => {
  it('says all five faults at once and exits with 1', async () => {
    const policies = join(folder, 'policies.yaml');
    await writeFile(
      policies,
      'version: 1\npolicies:\n  - { id: a, title: A, prompts: [], thresholds: { review: 0.5 } }\n',
    );
    const config = join(folder, 'five-faults.yaml');
    await writeFile(
      config,
      `kafka:
  brokers: [localhost]
topics:
  input: images
  verdict: verdicts
  verdicts: verdicts
  deadLetters: dead-letters
policies: policies.yaml
model: { path: no-such-model }
images: { root: ./absent }
`,
    );
    const { code, stdout } = await runCli(['check', '-c', config, '--offline']);
    const faults = stdout.split('\n').filter((line) => line.startsWith('✗'));
    expect(code).toBe(1);
    expect(faults.join('\n')).toMatch(/five-faults\.yaml:2:\d+: kafka\.brokers\[0\]/);
    expect(faults.join('\n')).toMatch(/five-faults\.yaml:5:\d+: topics\.verdict: /);
    expect(faults.join('\n')).toMatch(/policies\.yaml:3:\d+: policies\[0\]\.prompts/);
    expect(faults.join('\n')).toContain('no-such-model');
    expect(faults.join('\n')).toContain('images.root');
    expect(faults).toHaveLength(5);
    expect(stdout).toContain('5 faults.');
  });

  it('looks into the lists of known images', async () => {
    await writeFile(join(folder, 'good.csv'), `pdq\n${'0f'.repeat(32)}\n`);
    await writeFile(join(folder, 'bad.csv'), 'pdq\nshort\nshorter\n');
    const config = join(folder, 'lists.yaml');
    await writeFile(
      config,
      `kafka: { brokers: [localhost:9092] }
topics: { input: images, verdicts: verdicts, deadLetters: dead-letters }
policies: ${packageFile('policies/demo.yaml')}
lists:
  - { id: good, kind: block, file: good.csv }
  - { id: bad, kind: block, file: bad.csv }
`,
    );
    const { code, stdout } = await runCli(['check', '-c', config, '--offline']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✓ list good in .*good\.csv: 1 entry/);
    expect(stdout).toMatch(/✗ .*bad\.csv:2: "short" is not a hash/);
    expect(stdout).toMatch(/✗ .*bad\.csv:3: "shorter" is not a hash/);
    expect(stdout).toContain('2 faults.');
  });

  it('is content with the example configuration', async () => {
    const { code, stdout } = await runCli([
      'check',
      '-c',
      packageFile('moderato.yaml'),
      '--offline',
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('Nothing is in the way.')]);
  });
});

describe('moderato score', () => {
  it('prints one verdict that its schema accepts', async () => {
    const policies = packageFile('policies/demo.yaml');
    const { code, stdout } = await runCli([
      'score',
      sample('motorcycle.jpg'),
      '--policies',
      policies,
      '--json',
    ]);
    expect(code).toBe(0);
    const verdict = JSON.parse(stdout) as Verdict;
    expect(VERDICT.isValid(verdict)).toBe(true);
    expect(verdict.outcome).toBe('block');
  });

  it('says which image is not there', async () => {
    const { code, stderr } = await runCli(['score', 'absent.jpg']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/usage: .*absent\.jpg/)]);
  });
});

describe.each(['score', 'scan'])('moderato %s', (command) => {
  it('says so when there is no image', async () => {
    const empty = join(folder, `nothing-to-${command}`);
    await mkdir(empty);
    const { code, stderr } = await runCli([command, empty]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`none below ${empty}`)]);
  });
});

describe('moderato scan', () => {
  it.each(['-r', '-o'])('refuses a file for %s that cannot be written, at once', async (option) => {
    const path = join(sample('vase.jpg'), 'below-a-file');
    const { code, stderr } = await runCli(['scan', sample('vase.jpg'), option, path]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^moderato: usage: writing .*below-a-file/),
    ]);
  });

  it('judges a folder into lines and a page', async () => {
    const report = join(folder, 'report.html');
    const output = join(folder, 'verdicts.jsonl');
    const args = [sample('bear.jpg'), sample('vase.jpg'), sample('phone-photo.heic')];
    const { code, stderr } = await runCli(['scan', ...args, '-r', report, '-o', output]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('3 verdicts')]);
    const verdicts = (await readFile(output, 'utf8')).trimEnd().split('\n');
    expect(verdicts.map((line) => (JSON.parse(line) as Verdict).outcome).sort()).toEqual([
      'allow',
      'block',
      'not_inspected',
    ]);
    const page = await readFile(report, 'utf8');
    expect(page).toContain('bear.jpg');
    expect(page.match(/data:image\/webp;base64/g)?.length).toBeGreaterThanOrEqual(2);
  });
});

describe('moderato demo', () => {
  it('has the same outcomes without a broker, on a machine without Java or Docker', async () => {
    const report = join(folder, 'demo.html');
    const { code, stdout } = await runCli(['demo', '--broker', 'memory', '-r', report], {
      PATH: folder,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^BLOCK +motorcycle\.jpg .*motor-vehicles/m);
    expect(stdout).toMatch(/^BLOCK +bear\.jpg .*wild-animals/m);
    expect(stdout).toMatch(/^REVIEW +giraffe\.jpg .*wild-animals/m);
    expect(stdout).toMatch(
      /^NOT INSPECTED +phone-photo\.heic .*image_format_unsupported .*a HEIC/m,
    );
    expect(stdout.match(/^ALLOW/gm)?.length).toBe(19);
    expect(stdout).toContain(report);
  });

  it('goes on in memory where no Kafka can be had, and says so', async () => {
    const { code, stdout } = await runCli(['demo', '-r', join(folder, 'demo.html')], {
      PATH: folder,
      KAFKA_BROKERS: '',
      JAVA_HOME: '',
    });
    expect([code, stdout]).toEqual([0, expect.stringContaining('in-memory adapters')]);
    expect(stdout).toMatch(/^BLOCK +motorcycle\.jpg/m);
  });
});
