import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { stringify } from 'yaml';
import type { Verdict } from '../../src/events/types.generated.ts';
import { packageFile } from '../../src/package-files.ts';
import { runCli } from '../support/cli.ts';
import { createTopic, testBrokers, testKafka, uniqueName } from '../support/kafka.ts';
import { startService } from '../support/service.ts';

jest.setTimeout(90_000);

describe('a newcomer with a real topic', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moderato-topic-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('creates topics, checks, publishes, runs and tails', async () => {
    const prefix = uniqueName('newcomer');
    const topics = {
      input: `${prefix}.images`,
      verdicts: `${prefix}.verdicts`,
      deadLetters: `${prefix}.dead-letters`,
      routes: { block: `${prefix}.block` },
    };
    const groupId = `${prefix}.group`;
    const config = join(folder, 'moderato.yaml');
    const kafka = { brokers: testBrokers(), groupId };
    const policies = packageFile('policies/demo.yaml');
    await writeFile(config, stringify({ kafka, topics, policies }));

    const before = await runCli(['check', '-c', config]);
    expect(before.code).toBe(1);
    expect(before.stdout.match(/^✗ topic .* is not there/gm)).toHaveLength(4);

    const created = await runCli(['topics', 'create', '-c', config, '--partitions', '2']);
    expect([created.code, created.stderr]).toEqual([0, '']);
    expect(created.stdout.match(/^created /gm)).toHaveLength(4);
    const again = await runCli(['topics', 'create', '-c', config]);
    expect(again.stdout.match(/was there already/g)).toHaveLength(4);
    expect((await runCli(['check', '-c', config])).code).toBe(0);

    const photos = ['motorcycle.jpg', 'vase.jpg'].map((name) => packageFile(`samples/${name}`));
    const published = await runCli(['publish', ...photos, '-c', config, '--format', 'avro']);
    expect([published.code, published.stderr]).toEqual([0, expect.stringContaining('2/2')]);

    const service = await startService({ topics, groupId, config: { topics } });
    const tail = ['tail', '-c', config, '--from-beginning', '-n', '2'];
    const json = await runCli([...tail, '--json']);
    expect(await service.end('SIGTERM')).toBe(0);
    const outcomes = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Verdict)
      .map(({ eventId, outcome }) => `${String(eventId)}: ${outcome}`);
    expect(outcomes.sort()).toEqual(['motorcycle.jpg: block', 'vase.jpg: allow']);

    const readable = await runCli(tail);
    expect(readable.stdout).toMatch(/^BLOCK +motorcycle\.jpg/m);
    expect(readable.stdout).toMatch(/^ALLOW +vase\.jpg/m);
  });

  it('is told of output topics in which messages are shrunk, and stopped by one that takes none', async () => {
    const kafka = testKafka();
    const limited = (bytes: number) =>
      createTopic(kafka, 1, { config: { 'max.message.bytes': `${bytes}` } });
    const topics = {
      input: await limited(5_000_000),
      verdicts: await limited(1_000_000),
      deadLetters: await limited(9_000_000),
    };
    const config = join(folder, 'narrow.yaml');
    const policies = packageFile('policies/demo.yaml');
    const check = async (embeddings?: string) => {
      const all = { ...topics, ...(embeddings !== undefined && { embeddings }) };
      const brokers = testBrokers();
      await writeFile(config, stringify({ kafka: { brokers }, topics: all, policies }));
      return runCli(['check', '-c', config]);
    };
    const narrow = await check();
    expect(narrow.code).toBe(0);
    expect(narrow.stdout).toContain(`topic ${topics.verdicts} takes messages of 1000000 bytes`);
    expect(narrow.stdout).not.toContain(`topic ${topics.deadLetters} takes`);

    const tiny = await limited(3_000);
    const failing = await check(tiny);
    expect(failing.code).toBe(1);
    expect(failing.stdout.match(/^✗ topic .*/gm)).toEqual([
      expect.stringContaining(`topic ${tiny} takes messages of 3000 bytes`),
    ]);
  });
});
