import type { KafkaClient } from '../kafka/client.ts';
import { AppError } from '../errors.ts';
import { positionText } from '../events/redrive-note.ts';
import { useAdmin } from '../kafka/admin.ts';
import { missingTopics } from '../kafka/topics.ts';
import type { LetterFilter } from './filter.ts';
import { assertKnown } from './known-positions.ts';
import type { IndexedLetter, LetterIndex } from './letter-index.ts';
import type { Target } from './redriven-record.ts';
import { countBy, readLetters, survey, type LetterSource } from './survey.ts';
import { incompleteness, type IncompleteLetter } from './whole.ts';

const MAX_NAMED = 20;

export interface RedriveOptions extends LetterSource {
  filter: LetterFilter;
  /** Where records are redriven to. @default each to its original topic */
  target?: string | undefined;
  /**
   * The input topics. Without a target, letters of records of other topics are skipped: a dead letter must not be a way
   * to write to any topic. @default no such limit
   */
  inputs?: readonly string[] | undefined;
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
  /** Skipped, because they do not hold their whole record. */
  incomplete: { count: number; first: IncompleteLetter[] };
  /** Skipped, because their records are of other topics than the input topics. */
  elsewhere: number;
}

export interface Prepared {
  plan: RedrivePlan;
  index: LetterIndex;
  targets: ReadonlyMap<string, Target>;
  isPending: (letter: IndexedLetter) => boolean;
}

/**
 * What `redrive` would do now; writes nothing and disturbs no redrive that is at work.
 * Throws AppError `usage` for positions without a letter, `topic_missing` when a target is not there, and what
 * `survey` does.
 */
export async function planRedrive(options: RedriveOptions): Promise<RedrivePlan> {
  return (await prepare(options)).plan;
}

/** Throws what `planRedrive` does. */
export async function prepare(options: RedriveOptions): Promise<Prepared> {
  const { kafka, topic, filter, target, inputs } = options;
  const index = await survey(options, filter);
  await assertKnown(kafka, topic, index, filter.positions);
  const isElsewhere = ({ topic: from = '' }: IndexedLetter): boolean =>
    target === undefined && inputs !== undefined && !inputs.includes(from);
  const isPending = (letter: IndexedLetter): boolean =>
    !letter.redriven && letter.code !== undefined && letter.isWhole && !isElsewhere(letter);

  const plan = { total: 0, redrivenAlready: 0, undecodable: 0, elsewhere: 0 };
  let incomplete = 0;
  for (const letter of index) {
    if (isPending(letter)) plan.total += 1;
    else if (letter.redriven) plan.redrivenAlready += 1;
    else if (letter.code === undefined) plan.undecodable += 1;
    else if (!letter.isWhole) incomplete += 1;
    else plan.elsewhere += 1;
  }
  const byTopic = countBy(index, (letter) =>
    isPending(letter) ? (target ?? letter.topic) : undefined,
  );
  return {
    plan: {
      ...plan,
      byCode: countBy(index, (letter) => (isPending(letter) ? letter.code : undefined)),
      byTopic,
      incomplete: { count: incomplete, first: await firstIncomplete(options, index) },
    },
    index,
    targets: await targetsOf(kafka, Object.keys(byTopic)),
    isPending,
  };
}

async function firstIncomplete(
  source: LetterSource,
  index: LetterIndex,
): Promise<IncompleteLetter[]> {
  const named = new Set<string>();
  for (const letter of index) {
    if (named.size === MAX_NAMED) break;
    if (letter.code !== undefined && !letter.isWhole && !letter.redriven) {
      named.add(positionText(letter));
    }
  }
  const found: IncompleteLetter[] = [];
  await readLetters(
    source,
    index,
    (letter) => named.has(positionText(letter)),
    ({ partition, offset }, _, read) => {
      if (read.kind !== 'letter') return;
      const { letter } = read;
      const record = { topic: letter.topic, partition: letter.partition, offset: letter.offset };
      found.push({ at: { partition, offset }, record, why: incompleteness(letter) ?? '' });
    },
  );
  return found;
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
  const doing = `asking for the partitions of ${topics.join(', ')}`;
  return await useAdmin(kafka, doing, async (admin) => {
    const targets = new Map<string, Target>();
    for (const topic of topics) {
      targets.set(topic, { topic, partitions: await admin.partitions(topic) });
    }
    return targets;
  });
}
