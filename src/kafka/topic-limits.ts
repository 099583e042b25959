import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { KafkaClient } from './client.ts';
import { totalBytes, type OutgoingMessage } from './outgoing-message.ts';
import { messageLimits } from './topics.ts';

/** A reading older than this is repeated before anything is shrunk, in ms. */
const STALE_AFTER_MS = 60_000;

export interface TopicLimitsOptions {
  /** The `max.message.bytes` of the topics, as far as they can be read. Throws AppError. */
  read: () => Promise<ReadonlyMap<string, number>>;
  topics: readonly string[];
  /** The limit of a topic whose setting is not known, in bytes. */
  fallback: number;
  /** No limit is assumed to be smaller than this because of a refusal, in bytes. */
  least: number;
  clock: Clock;
  logger: Logger;
}

/** The limits of topics as their settings say. */
export function createTopicLimits(
  kafka: KafkaClient,
  options: Omit<TopicLimitsOptions, 'read'>,
): TopicLimits {
  return new TopicLimits({ ...options, read: () => messageLimits(kafka, options.topics) });
}

/** Which messages the topics take: `max.message.bytes` of each, read when it is first needed. */
export class TopicLimits {
  readonly #options: TopicLimitsOptions;
  readonly #settings = new Map<string, number>();
  /** Of topics that refused messages which their settings allow. */
  readonly #ceilings = new Map<string, number>();
  /** Of all limits; undefined after one has changed. */
  #smallest: number | undefined;
  #readAt: number | undefined;
  #reading: Promise<void> | undefined;

  constructor(options: TopicLimitsOptions) {
    this.#options = options;
  }

  /** Reads the limits unless they are known. Never throws: what cannot be read has the fallback. */
  async learned(): Promise<void> {
    if (this.#readAt === undefined) await this.#read();
  }

  /** Reads the limits again if the last reading is old; true when one of them has risen. */
  async refreshed(): Promise<boolean> {
    const { clock, topics } = this.#options;
    if (this.#readAt !== undefined && clock.elapsed() - this.#readAt < STALE_AFTER_MS) return false;
    const before = new Map(topics.map((topic) => [topic, this.limitOf(topic)]));
    await this.#read();
    return topics.some((topic) => this.limitOf(topic) > (before.get(topic) ?? 0));
  }

  /** In bytes, for one record in a batch of its own. */
  limitOf(topic: string): number {
    const setting = this.#settings.get(topic) ?? this.#options.fallback;
    return Math.min(setting, this.#ceilings.get(topic) ?? setting);
  }

  /** What every topic takes, in bytes. */
  smallest(): number {
    this.#smallest ??= Math.min(...this.#options.topics.map((topic) => this.limitOf(topic)));
    return this.#smallest;
  }

  /**
   * Called when the broker refused `messages` of one request as too large. True when they can be made smaller: a
   * limit is now known to be lower. Where the settings explain nothing, half of what was refused is the new limit.
   */
  async refused(messages: readonly OutgoingMessage[]): Promise<boolean> {
    const { least, logger } = this.#options;
    const sent = [...Map.groupBy(messages, ({ topic }) => topic)]
      .map(([topic, each]) => ({
        topic,
        before: this.limitOf(topic),
        bytes: totalBytes(each),
        largest: Math.max(...each.map((message) => totalBytes([message]))),
      }))
      .filter(({ bytes }) => bytes > least)
      .sort((a, b) => b.bytes - a.bytes);
    if (sent.length === 0) return false;
    await this.#read();
    const isExplained = sent.some(({ topic, before, largest }) => {
      const limit = this.limitOf(topic);
      return limit < before || (largest > limit && largest > least);
    });
    if (isExplained) return true;
    const reducible = sent.find(({ topic }) => this.limitOf(topic) > least);
    if (reducible === undefined) return false;
    const { topic, bytes } = reducible;
    const limit = Math.max(least, Math.floor(Math.min(bytes, this.limitOf(topic)) / 2));
    this.#ceilings.set(topic, limit);
    this.#smallest = undefined;
    logger.warn(
      { topic, refused: bytes, limit },
      'the broker takes less than max.message.bytes says',
    );
    return true;
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    const { read, clock, logger, fallback } = this.#options;
    try {
      for (const [topic, limit] of await read()) {
        if (limit > 0) this.#settings.set(topic, limit); // NaN: the broker does not say it
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'kafka_unavailable') return; // the next time may be better
      if (this.#readAt === undefined) {
        logger.warn(
          { err: error, assumed: fallback },
          'the size limits of the topics are not known',
        );
      }
    }
    this.#smallest = undefined;
    this.#readAt = clock.elapsed();
  }
}
