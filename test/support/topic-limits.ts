import { TopicLimits } from '../../src/kafka/topic-limits.ts';
import { noLogger } from '../../src/logger.ts';
import { DEFAULT_LIMIT_BYTES, LEAST_LIMIT_BYTES } from '../../src/producers/message-bounds.ts';
import { FakeClock } from './fake-clock.ts';

/** Limits of topics that are known from the start. */
export function knownLimits(limits: Record<string, number>): TopicLimits {
  return new TopicLimits({
    read: () => Promise.resolve(new Map(Object.entries(limits))),
    topics: Object.keys(limits),
    fallback: DEFAULT_LIMIT_BYTES,
    least: LEAST_LIMIT_BYTES,
    clock: new FakeClock(),
    logger: noLogger,
  });
}
