import type { CompressionTypes } from 'kafkajs';
import type { KafkaClient } from '../kafka/client.ts';
import { AppError } from '../errors.ts';
import { positionText } from '../events/redrive-note.ts';
import { missingTopics, withAdmin } from '../kafka/topics.ts';
import type { LetterFilter } from './filter.ts';
import { assertKnown } from './known-positions.ts';
import type { IndexedLetter, LetterIndex } from './letter-index.ts';
import { RedriveProducer } from './redrive-producer.ts';
import { redriven, type Redriven, type Target } from './redriven-record.ts';
import { countBy, readLetters, survey, type LetterSource } from './survey.ts';

/** Of one transaction. Well below the broker's default limit for one partition, 1,048,588 bytes. */
const MAX_LETTERS = 100;
const MAX_BYTES = 900_000;

export interface RedriveOptions extends LetterSource {
  filter: LetterFilter;
  /** Where records are redriven to. @default each to its original topic */
  target?: string | undefined;
}

export interface RedrivePlan {
  /** Letters to be redriven. */
  total: number;
  byCode: Record<string, number>;
  byTopic: Record<string, number>;
  /** Skipped, because they were redriven before. */
  redrivenAlready: number;
  /** Skipped, because they cannot be decoded. */
  undecodable: number;
}

interface Survey {
  plan: RedrivePlan;
  index: LetterIndex;
  targets: ReadonlyMap<string, Target>;
}

/**
 * What `redrive` would do now; writes nothing and disturbs no redrive that is at work.
 * Throws AppError `usage` for positions without a letter, `topic_missing` when a target is not there, and what
 * `survey` does.
 */
export async function planRedrive(options: RedriveOptions): Promise<RedrivePlan> {
  return (await prepare(options)).plan;
}

/**
 * Publishes the records of dead letters again, each together with a note in the dead-letter topic that it was:
 * both or none. So it may be stopped anywhere and run again, and redrives each letter once.
 *
 * Throws what `planRedrive` and `RedriveProducer` do; what was told to `onRedriven` by then is redriven.
 */
export async function redrive(
  options: RedriveOptions & {
    compression: CompressionTypes;
    onPlan?: (plan: RedrivePlan) => void;
    onRedriven?: (count: number) => void;
  },
): Promise<RedrivePlan> {
  const { kafka, topic, compression, target, onPlan, onRedriven } = options;
  const producer = new RedriveProducer({ kafka, topic, compression });
  // Before anything is read: a redrive that is still at work would write notes that we had not seen.
  await producer.open();
  let underWay: Promise<void> | undefined;
  try {
    const { plan, index, targets } = await prepare(options);
    onPlan?.(plan);
    let batch: Redriven[] = [];
    let bytes = 0;
    const flush = async (): Promise<void> => {
      const taken = batch;
      const [first, last] = [taken[0], taken.at(-1)];
      if (!first || !last) return;
      batch = [];
      bytes = 0;
      underWay = producer.write(
        taken.flatMap(({ messages }) => messages),
        `redriving ${positionText(first.position)} to ${positionText(last.position)} of ${topic}`,
      );
      await underWay;
      onRedriven?.(taken.length);
    };
    await readLetters(options, index, isPending, async (indexed, record, read) => {
      const to = targets.get(target ?? indexed.topic ?? '');
      if (read.kind !== 'letter' || !to) return;
      const next = redriven(read.letter, record, to);
      index.markRedriven(indexed); // should its record be handed over once more
      if (batch.length === MAX_LETTERS || bytes + next.bytes > MAX_BYTES) await flush();
      batch.push(next);
      bytes += next.bytes;
    });
    await flush();
    return plan;
  } finally {
    await underWay?.catch(() => undefined); // stopped by a signal, it is still at work
    await producer.close();
  }
}

async function prepare(options: RedriveOptions): Promise<Survey> {
  const { kafka, topic, filter, target } = options;
  const index = await survey(options, filter);
  await assertKnown(kafka, topic, index, filter.positions);
  const plan = planOf(index, target);
  return { plan, index, targets: await targetsOf(kafka, Object.keys(plan.byTopic)) };
}

function planOf(index: LetterIndex, target: string | undefined): RedrivePlan {
  const plan = { total: 0, redrivenAlready: 0, undecodable: 0 };
  for (const letter of index) {
    if (isPending(letter)) plan.total += 1;
    else if (letter.redriven) plan.redrivenAlready += 1;
    else plan.undecodable += 1;
  }
  return {
    ...plan,
    byCode: countBy(index, (letter) => (isPending(letter) ? letter.code : undefined)),
    byTopic: countBy(index, (letter) => (isPending(letter) ? (target ?? letter.topic) : undefined)),
  };
}

function isPending({ redriven, code }: IndexedLetter): boolean {
  return !redriven && code !== undefined;
}

async function targetsOf(
  kafka: KafkaClient,
  topics: readonly string[],
): Promise<ReadonlyMap<string, Target>> {
  if (topics.length === 0) return new Map();
  const missing = await missingTopics(kafka, topics);
  if (missing.length > 0) {
    throw new AppError(
      'topic_missing',
      `redriving to ${missing.join(', ')}: there is no such topic, or it is hidden from this user; --topic names another target`,
    );
  }
  const metadata = await withAdmin(
    kafka,
    `asking for the partitions of ${topics.join(', ')}`,
    (admin) => admin.fetchTopicMetadata({ topics: [...topics] }),
  );
  return new Map(
    metadata.topics.map(({ name, partitions }) => [name, { topic: name, partitions }]),
  );
}
