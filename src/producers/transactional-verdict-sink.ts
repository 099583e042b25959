import type { Clock } from '../clock.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { MessageEncoder } from '../events/message-encoder.ts';
import type { Logger } from '../logger.ts';
import { keyOf, type TopicPartition } from '../kafka/by-topic.ts';
import type { OutgoingMessage } from '../kafka/outgoing-message.ts';
import { MAX_REQUEST_BYTES } from '../kafka/request.ts';
import type { TopicLimits } from '../kafka/topic-limits.ts';
import { settles } from '../kafka/within.ts';
import { createFitter } from './fitter.ts';
import { OrderedEmissions, type Admitted, type Turn } from './ordered-emissions.ts';
import { isTooLarge } from './output-limits.ts';
import type { OutputTopics } from './topic-routes.ts';
import type { Emission, VerdictSink } from './verdict-sink.ts';

export interface TransactionalVerdictSinkOptions {
  /** See `PartitionTransactions.commit`. */
  commit: (
    partition: TopicPartition,
    messages: readonly OutgoingMessage[],
    offset: number,
  ) => Promise<void>;
  topics: OutputTopics;
  limits: TopicLimits;
  encoder: MessageEncoder;
  /** How long a transaction waits for further verdicts of its partition, in ms. */
  lingerMs: number;
  clock: Clock;
  logger: Logger;
}

export interface TransactionalVerdictSink extends VerdictSink {
  /** To be told of every record, in the order of its partition, before its emission. */
  admit(record: Admitted): void;
}

/** For what is under way when the sink is closed, in ms: nothing is by then, unless the broker does not answer. */
const CLOSE_TIMEOUT_MS = 1_000;
/** Errors that another attempt would meet again. */
const LASTING: ReadonlySet<ErrorCode> = new Set(['topic_missing', 'kafka_unauthorized']);

/**
 * Emits verdicts together with the offsets of their records. An offset says "everything before this is done", so
 * the emissions of a partition wait for each other: a transaction takes those that are ready of its oldest records.
 * One transaction of a partition runs while its next fills.
 *
 * When a transaction fails, the partition is rewound: its records in flight are revoked (their emissions reject with
 * `partition_revoked`) and read again from what is committed.
 */
export function createTransactionalVerdictSink(
  options: TransactionalVerdictSinkOptions,
): TransactionalVerdictSink {
  const { encoder, topics, limits, lingerMs, clock, logger } = options;
  const fit = createFitter({ encoder, topics, limits, logger });
  const partitions = new Map<string, OrderedEmissions>();
  const underWay = new Set<Promise<void>>();
  let closed: Promise<void> | undefined;

  const commit = async (partition: TopicPartition, turns: readonly Turn[]): Promise<void> => {
    const last = turns.at(-1);
    if (last === undefined) return;
    const messages = turns.flatMap((turn) => turn.messages ?? []);
    try {
      await options.commit(partition, messages, last.record.offset + 1);
    } catch (error) {
      if (!(error instanceof AppError) || LASTING.has(error.code)) throw error;
      // Judged again, they are made to fit what is known of the limits by then.
      if (isTooLarge(error) && !(await limits.refused(messages))) throw error;
      logger.warn({ ...partition, err: error }, 'a transaction failed: its records are read again');
      last.rewind();
    }
  };

  const emit = async (emission: Emission): Promise<void> => {
    const { input } = emission.verdict;
    const key = keyOf(input);
    const turn = partitions.get(key)?.turnOf(input.offset);
    if (!turn) throw new Error(`emitting for ${key}/${input.offset}, which was not admitted`);
    const encoding = fit(emission);
    encoding.catch(() => undefined); // when the record was revoked meanwhile
    await Promise.race([encoding, turn.done]);
    turn.ready(await encoding);
    await turn.done;
  };

  const admit = (record: Admitted): void => {
    const { topic, partition } = record.record;
    const key = keyOf({ topic, partition });
    let queue = partitions.get(key);
    if (queue?.revoked !== record.revoked) {
      queue = new OrderedEmissions({
        revoked: record.revoked,
        commit: (turns) => commit({ topic, partition }, turns),
        lingerMs,
        maxBytes: () => Math.min(MAX_REQUEST_BYTES, limits.smallest()),
        clock,
      });
      partitions.set(key, queue);
    }
    queue.admit(record);
  };

  return {
    admit,
    emit: async (emission) => {
      if (closed) throw new Error('the sink is closed: nothing more can be emitted');
      const emitted = emit(emission);
      underWay.add(emitted);
      await emitted.finally(() => underWay.delete(emitted));
    },
    close: () =>
      (closed ??= settles(Promise.allSettled(underWay), { clock, ms: CLOSE_TIMEOUT_MS }).then(
        () => undefined,
      )),
  };
}
