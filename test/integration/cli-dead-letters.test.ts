import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { stringify } from 'yaml';
import { packageFile } from '../../src/package-files.ts';
import { runCli } from '../support/cli.ts';
import { publishLetters } from '../support/dead-letters.ts';
import { countRecords, createTopic, testBrokers, testKafka } from '../support/kafka.ts';

jest.setTimeout(240_000);

const UNDECODABLE = { code: 'event_undecodable', message: 'decoding: neither', stage: 'decode' };
const INVALID = { code: 'event_invalid', message: 'decoding: image: missing', stage: 'decode' };

describe('moderato dead-letters', () => {
  it('lists, shows and redrives', async () => {
    const kafka = testKafka();
    const [input, topic] = [await createTopic(kafka), await createTopic(kafka)];
    const folder = await mkdtemp(join(tmpdir(), 'moderato-letters-'));
    const config = join(folder, 'moderato.yaml');
    const topics = { input, verdicts: 'verdicts', deadLetters: topic };
    const policies = packageFile('policies/demo.yaml');
    await writeFile(config, stringify({ kafka: { brokers: testBrokers() }, topics, policies }));
    const run = (...args: string[]) => runCli(['dead-letters', ...args, '-c', config]);
    const value = Buffer.from([0, 255, 10, 13, 0]);
    await publishLetters(kafka, topic, [
      { topic: input, error: UNDECODABLE, value },
      { topic: input, error: INVALID, value: Buffer.from('{"a":1}') },
    ]);

    const listed = await run('list', '--code', 'event_invalid');
    expect([listed.code, listed.stderr]).toEqual([0, '']);
    expect(listed.stdout).toMatch(/^ *0\/1 .*event_invalid +decode +1 .*key-1/m);
    expect(listed.stdout).toMatch(/^1 dead letter\n +event_invalid 1\n$/m);
    const lines = (await run('list', '--json')).stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({ partition: 0, offset: 0, code: 'event_undecodable' }),
    );
    const shown = await run('show', '0/0', '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ value: value.toString('base64') });

    const dry = await run('redrive', '--all', '--dry-run');
    expect(dry.stdout).toContain(`would redrive 2 dead letters: 2 to ${input}`);
    expect(await countRecords(kafka, input)).toBe(0);
    const one = await run('redrive', '0/0');
    expect([one.code, one.stdout.split('\n')[0]]).toEqual([0, 'redrove 1 dead letter']);
    expect(one.stdout).toContain('without MODERATO_REDRIVE_KEY');
    const rest = await run('redrive', '--all', '--json');
    expect(JSON.parse(rest.stdout)).toMatchObject({ redriven: 1, redrivenAlready: 1 });
    const again = await run('redrive', '--all');
    expect(again.stdout).toBe('redrove 0 dead letters\nskipped: 2 redriven already\n');
    const vague = await run('redrive');
    expect([vague.code, vague.stderr]).toEqual([1, expect.stringMatching(/usage: .*--all/)]);
    await rm(folder, { recursive: true });
  });
});
