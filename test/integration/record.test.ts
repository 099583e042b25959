import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { stringify } from 'yaml';
import { useAdmin } from '../../src/kafka/admin.ts';
import { readRecord, skipRecord } from '../../src/kafka/read-record.ts';
import { packageFile } from '../../src/package-files.ts';
import { runCli } from '../support/cli.ts';
import { createTopic, publish, testBrokers, testKafka, uniqueName } from '../support/kafka.ts';
import { until } from '../support/puller.ts';
import { transact } from '../support/transactions.ts';

jest.setTimeout(120_000);

let kafka: Kafka;
let folder: string;
beforeAll(async () => {
  kafka = testKafka();
  folder = await mkdtemp(join(tmpdir(), 'moderato-record-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function configOf(input: string, groupId: string): Promise<string> {
  const config = join(folder, `${input}.yaml`);
  const topics = { input, verdicts: 'verdicts', deadLetters: 'dead-letters' };
  const policies = packageFile('policies/demo.yaml');
  await writeFile(
    config,
    stringify({ kafka: { brokers: testBrokers(), groupId }, topics, policies }),
  );
  return config;
}

const committed = (groupId: string, topic: string) =>
  useAdmin(kafka, 'asking', (admin) => admin.committed(groupId, topic));

describe('moderato record', () => {
  it('shows one record, and skips the one that the stopped group reads next', async () => {
    const input = await createTopic(kafka, 2);
    const groupId = uniqueName('group');
    const config = await configOf(input, groupId);
    await publish(kafka, input, [
      { partition: 1, key: 'k\u001b[2J', value: Buffer.from([0, 65]), headers: { tenant: 'acme' } },
      { partition: 1, value: 'b' },
    ]);
    const shown = await runCli(['record', 'show', `${input}/1/0`, '-c', config]);
    expect([shown.code, shown.stderr]).toEqual([0, '']);
    expect(shown.stdout).toContain(`record ${input}/1/0`);
    expect(shown.stdout).toMatch(/key +k.\[2J \(5 bytes\)/);
    expect(shown.stdout).not.toContain('\u001b[2J');
    expect(shown.stdout).toMatch(/header +tenant: acme/);
    expect(shown.stdout).toMatch(/value +2 bytes, SHA-256 [0-9a-f]{64}/);
    expect(shown.stdout).toContain('00000000  00 41');
    const raw = await runCli(['record', 'show', `${input}/1/1`, '--value', '-c', config]);
    expect(raw.stdout).toBe('b');

    const further = await runCli(['record', 'skip', '1/1', '-c', config]);
    expect([further.code, further.stderr]).toEqual([
      1,
      expect.stringMatching(/usage: skipping .*\/1\/1: group .* reads 1\/0 first/),
    ]);
    const skipped = await runCli(['record', 'skip', '1/0', '-c', config]);
    expect([skipped.code, skipped.stderr]).toEqual([0, '']);
    expect(skipped.stdout).toContain(`skipped ${input}/1/0: group ${groupId} goes on at 1/1.`);
    expect(await committed(groupId, input)).toEqual(new Map([[1, 1]]));
  });

  it('skips nothing while the group has members, and nothing that it is past', async () => {
    const topic = await createTopic(kafka);
    const groupId = uniqueName('group');
    await publish(kafka, topic, [{ value: 'a' }, { value: 'b' }]);
    const skip = (offset: number) =>
      skipRecord(kafka, { topic, partition: 0, offset }, { groupId, startFrom: 'earliest' });
    const member = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
    const joined = new Promise((resolve) => member.on('consumer.group_join', resolve));
    await member.connect();
    await member.subscribe({ topic, fromBeginning: true });
    await member.run({ autoCommit: false, eachMessage: () => Promise.resolve() });
    await joined;
    await expect(skip(0)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('has 1 active member: stop every instance first') as unknown,
    });
    expect(await committed(groupId, topic)).toEqual(new Map());
    await member.disconnect();
    await until(
      async () => (await useAdmin(kafka, 'asking', (admin) => admin.memberCount(groupId))) === 0,
    );
    await skip(0);
    await expect(skip(0)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('is past it, at 1; nothing was committed') as unknown,
    });
    await skip(1);
    expect(await committed(groupId, topic)).toEqual(new Map([[0, 2]]));
  });

  it('passes over what is no record on its way to the next one', async () => {
    const topic = await createTopic(kafka);
    const groupId = uniqueName('group');
    await transact(kafka, topic, [{ value: 'lost' }], 'abort');
    await publish(kafka, topic, [{ value: 'a' }]);
    const at = (offset: number) => ({ topic, partition: 0, offset });
    await expect(readRecord(kafka, at(0))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('aborted') as unknown,
    });
    await expect(readRecord(kafka, at(9))).rejects.toMatchObject({
      message: expect.stringContaining('the partition holds 0 to 2') as unknown,
    });
    await skipRecord(kafka, at(2), { groupId, startFrom: 'earliest' });
    expect(await committed(groupId, topic)).toEqual(new Map([[0, 3]]));
  });
});
