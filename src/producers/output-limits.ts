import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { KafkaClient } from '../kafka/client.ts';
import { createTopicLimits, type TopicLimits } from '../kafka/topic-limits.ts';
import type { Logger } from '../logger.ts';
import { DEFAULT_LIMIT_BYTES, LEAST_LIMIT_BYTES } from './message-bounds.ts';
import { outputTopics, type OutputTopics } from './topic-routes.ts';

/** The limits of every topic that may be written to. */
export function createOutputLimits(
  kafka: KafkaClient,
  { topics, ...parts }: { topics: OutputTopics; clock: Clock; logger: Logger },
): TopicLimits {
  return createTopicLimits(kafka, {
    ...parts,
    topics: outputTopics(topics),
    fallback: DEFAULT_LIMIT_BYTES,
    least: LEAST_LIMIT_BYTES,
  });
}

export function isTooLarge(error: unknown): error is AppError {
  return error instanceof AppError && error.code === 'record_too_large';
}
