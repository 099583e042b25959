/**
 * What `moderato reconcile` takes, for a tenth of the records and for all of them: its memory must not follow
 * their number. Fills topics of a real broker with tiny inputs and verdicts of real shape.
 */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import type { Kafka, Message } from 'kafkajs';
import { stringify } from 'yaml';
import { configSchema } from '../src/config-schema.ts';
import { findBroker } from '../src/demo/find-broker.ts';
import { createMessageEncoder } from '../src/events/message-encoder.ts';
import { verdictId } from '../src/events/verdict-id.ts';
import type { PolicyResult, Verdict } from '../src/events/types.generated.ts';
import { createKafka } from '../src/kafka/client.ts';
import { createTopics } from '../src/kafka/topics.ts';
import { createLogger } from '../src/logger.ts';
import { packageFile } from '../src/package-files.ts';
import type { ReconcileReport } from '../src/reconcile/report.ts';
import { machine } from './machine.ts';
import { ProcessWatch } from './process-watch.ts';

const PARTITIONS = 6;
const BATCH = 5_000;
const POLICIES = ['adult', 'firearms', 'gore', 'motor-vehicles', 'tobacco'];

interface Topics {
  input: string;
  verdicts: string;
  deadLetters: string;
}

interface Trial {
  records: number;
  seconds: number;
  peakMiB: number;
  spillMiB: number;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function aResult(id: string): PolicyResult {
  return {
    id,
    title: `Pictures of ${id}`,
    mode: 'enforce',
    score: 0.0123456789012345,
    band: 'allow',
    thresholds: { review: 0.6, block: 0.9 },
    prompt: `a photo of ${id}`,
    cosine: 0.2112345678901234,
    cosineFloor: 0.2,
    belowFloor: false,
    contrast: 'a photo of something else',
    margin: -0.0412345678901234,
    suppressedBy: null,
    region: {
      frame: 0,
      crop: 'center',
      box: { left: 62, top: 0, width: 375, height: 375 },
      background: null,
    },
  };
}

function aVerdict(topic: string): Verdict {
  const sha256 = createHash('sha256').update(topic).digest('hex');
  const preprocessing = '2026-1';
  return {
    verdictId: sha256.slice(0, 32),
    eventId: 'event-0',
    occurredAt: Date.now(),
    decidedAt: Date.now(),
    input: { topic, partition: 0, offset: 0 },
    source: 'bench',
    tenant: null,
    labels: {},
    outcome: 'allow',
    reason: null,
    policies: POLICIES.map(aResult),
    image: {
      sha256,
      bytes: 114_000,
      format: 'jpeg',
      width: 500,
      height: 375,
      frames: 1,
      damaged: false,
      views: 1,
      pdq: null,
    },
    lists: [],
    reused: null,
    model: { id: 'starter', hash: sha256, preprocessing, executionProvider: 'cpu' },
    bundle: { version: 1, hash: sha256 },
    timings: { fetchMs: 0, decodeMs: 4.25, queueMs: 0.31, inferMs: 18.52, totalMs: 24.13 },
    shrunk: [],
  };
}

/** The nth record of a topic goes to partition n modulo 6, in order. */
async function fill(
  kafka: Kafka,
  topic: string,
  records: number,
  valueOf: (n: number) => string,
): Promise<void> {
  const producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
  await producer.connect();
  for (let from = 0; from < records; from += BATCH) {
    const count = Math.min(BATCH, records - from);
    const messages = Array.from({ length: count }, (_, index): Message => {
      const n = from + index;
      return { partition: n % PARTITIONS, value: valueOf(n) };
    });
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
}

async function prepare(kafka: Kafka, records: number): Promise<Topics> {
  const prefix = `moderato-bench-${randomUUID().slice(0, 8)}`;
  const topics = {
    input: `${prefix}.images`,
    verdicts: `${prefix}.verdicts`,
    deadLetters: `${prefix}.dead-letters`,
  };
  const specs = Object.values(topics).map((topic) => ({ topic, partitions: PARTITIONS }));
  await createTopics(kafka, specs);
  say(`publishing ${records} inputs and as many verdicts`);
  await fill(kafka, topics.input, records, (n) => `{"eventId":"event-${n}"}`);
  const encoder = createMessageEncoder({ format: 'json' });
  const { value } = await encoder.encodeVerdict(aVerdict(topics.input), topics.verdicts);
  const shape = JSON.parse(String(value)) as Verdict;
  const { hash: modelHash, preprocessing } = shape.model;
  const hashes = { modelHash, preprocessing, bundleHash: shape.bundle.hash };
  await fill(kafka, topics.verdicts, records, (n) => {
    const eventId = `event-${n}`;
    const input = {
      topic: topics.input,
      partition: n % PARTITIONS,
      offset: Math.floor(n / PARTITIONS),
    };
    const id = verdictId({ eventId, ...input, ...hashes });
    return JSON.stringify({ ...shape, verdictId: id, eventId, input });
  });
  return topics;
}

async function reconcile(brokers: string[], topics: Topics, folder: string): Promise<Trial> {
  const config = join(folder, `${topics.input}.yaml`);
  const policies = packageFile('policies/demo.yaml');
  await writeFile(config, stringify({ kafka: { brokers }, topics, policies }));
  const args = [packageFile('src/cli.ts'), 'reconcile', '-c', config, '--json', '--temp', folder];
  const from = Date.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const watch = new ProcessWatch(new Map([[child.pid ?? 0, 'reconcile']]));
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  await once(child, 'close');
  await watch.stop();
  const until = Date.now();
  const report = JSON.parse(stdout) as ReconcileReport;
  if (!report.proven) throw new Error(`not proven: ${stdout}`);
  return {
    records: report.inputs + report.verdicts,
    seconds: (until - from) / 1000,
    peakMiB: watch.usage({ from, until, events: report.inputs })['reconcile']?.peakMiB ?? 0,
    spillMiB: report.spilledBytes / 2 ** 20,
  };
}

function show(few: Trial, many: Trial): void {
  const table = new Table({
    head: ['', 'records read', 'time, s', 'records/s', 'highest RSS, MiB', 'spill, MiB'],
    style: { head: [], border: [] },
  });
  const row = ({ records, seconds, peakMiB, spillMiB }: Trial): string[] => [
    String(records),
    seconds.toFixed(1),
    (records / seconds).toFixed(0),
    peakMiB.toFixed(0),
    spillMiB.toFixed(1),
  ];
  const ratio = (of: (trial: Trial) => number): string => (of(many) / of(few)).toFixed(2);
  table.push(
    ['a tenth', ...row(few)],
    ['all', ...row(many)],
    [
      'ratio',
      ratio(({ records }) => records),
      ratio(({ seconds }) => seconds),
      ratio(({ records, seconds }) => records / seconds),
      ratio(({ peakMiB }) => peakMiB),
      ratio(({ spillMiB }) => spillMiB),
    ],
  );
  console.log(table.toString());
  console.log(JSON.stringify(machine()));
}

const { records } = new Command('bench:reconcile')
  .description('measures moderato reconcile on a real broker')
  .option('--records <n>', 'inputs, and as many verdicts', positive, 1_000_000)
  .parse()
  .opts<{ records: number }>();

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 10)
    throw new InvalidArgumentError('not a whole number from 10');
  return value;
}

const broker = await findBroker({ onProgress: say });
const folder = await mkdtemp(join(tmpdir(), 'moderato-bench-'));
try {
  const settings = configSchema.shape.kafka.parse({ brokers: broker.bootstrap });
  const kafka = createKafka(settings, {}, createLogger({ level: 'error', to: 'stderr' }));
  const few = await prepare(kafka, Math.floor(records / 10));
  const many = await prepare(kafka, records);
  show(
    await reconcile(broker.bootstrap, few, folder),
    await reconcile(broker.bootstrap, many, folder),
  );
} finally {
  await broker.stop();
  await rm(folder, { recursive: true });
}
