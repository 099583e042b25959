import type { Config } from '../config-schema.ts';
import { AppError } from '../errors.ts';
import { positionText } from '../events/redrive-note.ts';
import { RedriveProducer } from '../kafka/redrive-producer.ts';
import { prepare, type RedriveOptions, type RedrivePlan } from './redrive-plan.ts';
import { redriven, type Redriven } from './redriven-record.ts';
import { readLetters } from './survey.ts';

/** Of one transaction. Well below the broker's default limit for one partition, 1,048,588 bytes. */
const MAX_LETTERS = 100;
const MAX_BYTES = 900_000;
const MAX_NAMED = 10;

export type RunOptions = RedriveOptions & {
  compression: Config['output']['compression'];
  /** Called once, before anything is written. */
  onPlan?: (plan: RedrivePlan) => void;
  onRedriven?: (count: number) => void;
};

/** What one run learns that the next one begins with. */
interface Lessons {
  /** By position: letters whose records are larger than their topic takes. */
  tooLarge: Map<string, string>;
  maxLetters: number;
}

/** Letters of one transaction that the broker has refused for their size. */
class TooLargeError extends Error {
  readonly batch: readonly Redriven[];

  constructor(batch: readonly Redriven[], cause: AppError) {
    super(cause.message, { cause });
    this.batch = batch;
  }
}

/**
 * Publishes the records of dead letters again, each together with a note in the dead-letter topic that it was:
 * both or none. So it may be stopped anywhere and run again, and redrives each letter once.
 *
 * Throws what `planRedrive` and `RedriveProducer` do; what was told to `onRedriven` by then is redriven. It throws
 * `record_too_large` only after everything else is redriven: one letter must not keep the others.
 */
export async function redrive(options: RunOptions): Promise<RedrivePlan> {
  const lessons: Lessons = { tooLarge: new Map(), maxLetters: MAX_LETTERS };
  let plan: RedrivePlan | undefined;
  const onPlan = (made: RedrivePlan): void => {
    if (plan) return;
    plan = made;
    options.onPlan?.(made);
  };
  for (;;) {
    try {
      const made = await run({ ...options, onPlan }, lessons);
      if (lessons.tooLarge.size === 0) return plan ?? made;
      break;
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      const [only, ...others] = error.batch;
      if (others.length > 0) lessons.maxLetters = 1;
      else if (only) lessons.tooLarge.set(positionText(only.position), nameOf(only));
    }
  }
  const names = [...lessons.tooLarge.values()];
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  throw new AppError(
    'record_too_large',
    `redriving ${names.slice(0, MAX_NAMED).join(', ')}${more}: larger than the topic takes; raise its max.message.bytes, or name another topic with --topic`,
  );
}

function nameOf({ position, record }: Redriven): string {
  return `${positionText(position)} (to ${record.topic}/${record.partition})`;
}

async function run(options: RunOptions, lessons: Lessons): Promise<RedrivePlan> {
  const { kafka, topic, compression, target, redriveKey, onPlan, onRedriven } = options;
  const producer = new RedriveProducer({ kafka, topic, compression });
  // Before anything is read: a redrive that is still at work would write notes that we had not seen.
  await producer.open();
  let underWay: Promise<void> | undefined;
  try {
    const { plan, index, targets, isPending } = await prepare(options);
    onPlan?.(plan);
    let batch: Redriven[] = [];
    let bytes = 0;
    const flush = async (): Promise<void> => {
      const taken = batch;
      if (taken.length === 0) return;
      batch = [];
      bytes = 0;
      underWay = write(producer, taken, topic);
      await underWay;
      onRedriven?.(taken.length);
    };
    await readLetters(
      options,
      index,
      (letter) => isPending(letter) && !lessons.tooLarge.has(positionText(letter)),
      async (indexed, record, read) => {
        const to = targets.get(target ?? indexed.topic ?? '');
        if (read.kind !== 'letter' || !to) return;
        const next = redriven(read.letter, record, to, redriveKey);
        index.markRedriven(indexed); // should its record be handed over once more
        if (batch.length >= lessons.maxLetters || bytes + next.bytes > MAX_BYTES) await flush();
        batch.push(next);
        bytes += next.bytes;
      },
    );
    await flush();
    return plan;
  } finally {
    await underWay?.catch(() => undefined); // stopped by a signal, it is still at work
    await producer.close();
  }
}

async function write(
  producer: RedriveProducer,
  batch: readonly Redriven[],
  topic: string,
): Promise<void> {
  const names = [batch[0], batch.at(-1)].map((each) => each && positionText(each.position));
  try {
    await producer.write(
      batch.map(({ record }) => record),
      (offsets) => batch.map(({ noteOf }, at) => noteOf(offsets[at])),
      `redriving ${names.join(' to ')} of ${topic}`,
    );
  } catch (error) {
    if (error instanceof AppError && error.code === 'record_too_large') {
      throw new TooLargeError(batch, error);
    }
    throw error;
  }
}
