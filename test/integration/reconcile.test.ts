import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Kafka, Message } from 'kafkajs';
import { stringify } from 'yaml';
import { createMessageEncoder, type WireFormat } from '../../src/events/message-encoder.ts';
import type { Verdict } from '../../src/events/types.generated.ts';
import { verdictId } from '../../src/events/verdict-id.ts';
import { withAdmin } from '../../src/kafka/topics.ts';
import { packageFile } from '../../src/package-files.ts';
import { reconcile } from '../../src/reconcile/reconcile.ts';
import type { ReconcileReport } from '../../src/reconcile/report.ts';
import { aDeadLetter, aNotInspectedVerdict, aVerdict } from '../support/builders.ts';
import { runCli, type CliResult } from '../support/cli.ts';
import { createTopic, publish, testBrokers, testKafka, uniqueName } from '../support/kafka.ts';
import { transact } from '../support/transactions.ts';

jest.setTimeout(60_000);

interface Topics {
  input: string;
  verdicts: string;
  routes: { block: string };
  deadLetters: string;
}

let kafka: Kafka;
let folder: string;
beforeAll(async () => {
  kafka = testKafka();
  folder = await mkdtemp(join(tmpdir(), 'moderato-reconcile-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** 30 inputs in 3 partitions, the last of them empty but for an aborted transaction. */
async function anInput(): Promise<Topics> {
  const input = await createTopic(kafka, 4);
  const numbered = Array.from({ length: 30 }, (_, n) => ({ partition: n % 3, value: `${n}` }));
  await publish(kafka, input, numbered);
  await transact(kafka, input, [{ partition: 3, value: 'lost' }], 'abort');
  return {
    input,
    verdicts: await createTopic(kafka, 2),
    routes: { block: await createTopic(kafka) },
    deadLetters: await createTopic(kafka),
  };
}

/** The answer to one input; every third in a partition could not be decoded. */
function answerTo(topics: Topics, n: number, overrides: Partial<Verdict> = {}): Verdict {
  const input = { topic: topics.input, partition: n % 3, offset: Math.floor(n / 3) };
  const make = input.offset % 3 === 0 ? aNotInspectedVerdict : aVerdict;
  const verdict = make({ input, ...overrides });
  const { hash: modelHash, preprocessing } = verdict.model;
  const hashes = { modelHash, preprocessing, bundleHash: verdict.bundle.hash };
  return { ...verdict, verdictId: verdictId({ eventId: verdict.eventId, ...input, ...hashes }) };
}

const answers = (topics: Topics): Verdict[] =>
  Array.from({ length: 30 }, (_, n) => answerTo(topics, n));

/** Publishes as the service does; a verdict that says so comes with its dead letter. */
async function answer(topics: Topics, verdicts: Verdict[], format: WireFormat = 'json') {
  const encoder = createMessageEncoder({ format });
  const messages: Array<{ topic: string; message: Message }> = [];
  for (const verdict of verdicts) {
    const topic = verdict.outcome === 'block' ? topics.routes.block : topics.verdicts;
    const { value } = await encoder.encodeVerdict(verdict, topic);
    messages.push({ topic, message: { value } });
    if (verdict.reason) {
      const letter = aDeadLetter(verdict.input);
      const encoded = await encoder.encodeDeadLetter(letter, topics.deadLetters);
      messages.push({ topic: topics.deadLetters, message: { value: encoded.value } });
    }
  }
  for (const [topic, part] of Map.groupBy(messages, (each) => each.topic)) {
    await publish(
      kafka,
      topic,
      part.map(({ message }) => message),
    );
  }
}

async function reconcileByCli(topics: Topics, ...args: string[]): Promise<CliResult> {
  const config = join(folder, `${topics.input}.yaml`);
  const policies = packageFile('policies/demo.yaml');
  const brokers = { brokers: testBrokers(), groupId: uniqueName('group') };
  await writeFile(config, stringify({ kafka: brokers, topics, policies }));
  return runCli(['reconcile', '-c', config, ...args]);
}

const reconcileHere = (topics: Topics, groupId = 'nobody'): Promise<ReconcileReport> =>
  reconcile({ kafka, input: topics.input, topics, groupId });

describe('moderato reconcile', () => {
  it('proves that every input has its outcome, and leaves nothing behind', async () => {
    const topics = await anInput();
    await answer(topics, answers(topics));
    const temp = await mkdtemp(join(folder, 'temp-'));
    const { code, stdout, stderr } = await reconcileByCli(topics, '--temp', temp);
    expect(stdout).toContain(`${topics.input}: 30 inputs in 4 partitions`);
    expect(stdout).toMatch(/^ *verdicts +30$/m);
    expect(stdout).toContain('Proven: every input has exactly one outcome.');
    expect(stderr).toContain(`reading ${topics.input}: 30/32`);
    expect(stderr).not.toContain('Warning');
    expect(code).toBe(0);
    expect(await readdir(temp)).toEqual([]);
  });

  it('names the input whose verdict was left out', async () => {
    const topics = await anInput();
    await answer(
      topics,
      answers(topics).filter((_, n) => n !== 16),
    );
    const { code, stdout } = await reconcileByCli(topics);
    expect(stdout).toContain(`Missing\n  ${topics.input}/1/5  not committed yet\n`);
    expect(stdout).toContain('Not proven: 1 missing.');
    expect(code).toBe(1);

    const groupId = uniqueName('group');
    const partitions = [{ partition: 1, offset: '6' }];
    await withAdmin(kafka, 'committing', (admin) =>
      admin.setOffsets({ groupId, topic: topics.input, partitions }),
    );
    const { missing, ranges } = await reconcileHere(topics, groupId);
    expect(missing).toMatchObject({ count: 1, uncommitted: 0, first: [{ committed: true }] });
    expect(ranges.map(({ committed }) => committed)).toEqual([-1, 6, -1, -1]);
  });

  it('names verdicts that contradict each other, and where they are', async () => {
    const topics = await anInput();
    await answer(topics, [...answers(topics), answerTo(topics, 4, { outcome: 'allow' })], 'avro');
    const { code, stdout } = await reconcileByCli(topics, '--json');
    const report = JSON.parse(stdout) as ReconcileReport;
    expect(code).toBe(1);
    expect(report).toMatchObject({ proven: false, missing: { count: 0 } });
    expect(report.conflicting).toMatchObject({
      count: 1,
      first: [{ input: { topic: topics.input, partition: 1, offset: 1 } }],
    });
    const { verdictId: id } = answerTo(topics, 4);
    const found = report.conflicting.first[0]?.verdicts ?? [];
    expect(found.map((each) => [each.verdictId, each.outcome, each.at.topic]).sort()).toEqual([
      [id, 'allow', topics.verdicts],
      [id, 'block', topics.routes.block],
    ]);
  });

  it('lets duplicates and the verdicts of another version be', async () => {
    const topics = await anInput();
    await answer(topics, answers(topics));
    await answer(topics, answers(topics).slice(0, 6));
    const bundle = { version: 2, hash: 'the next one' };
    await answer(topics, [answerTo(topics, 3, { bundle, outcome: 'allow' })]);
    expect(await reconcileHere(topics)).toMatchObject({
      proven: true,
      duplicates: 6,
      rejudged: { count: 1, differing: 1 },
      versions: [{ verdicts: 36 }, { bundleHash: 'the next one', verdicts: 1 }],
    });
  });

  it('misses a dead letter, and tells what it cannot decode', async () => {
    const topics = await anInput();
    await answer(topics, answers(topics));
    await publish(kafka, topics.verdicts, [{ value: 'no verdict' }]);
    const deadLetters = await createTopic(kafka);
    expect(await reconcileHere({ ...topics, deadLetters })).toMatchObject({
      proven: false,
      withoutDeadLetter: { count: 12 },
      undecodable: {
        count: 1,
        first: [
          { at: { topic: topics.verdicts }, error: expect.stringContaining('JSON') as unknown },
        ],
      },
    });
  });

  it('keeps to a window, and says when there is nothing in it', async () => {
    const topics = await anInput();
    const { code, stdout } = await reconcileByCli(topics, '--from', '2999-01-01T00:00Z');
    expect(stdout).toContain('Nothing in the range of every partition.');
    expect(stdout).toContain('Nothing to prove');
    expect(code).toBe(0);
    const wrong = await reconcileByCli(topics, '--to', 'yesterday');
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('expected a time')]);
  });
});
