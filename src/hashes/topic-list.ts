import { randomUUID } from 'node:crypto';
import type { Consumer } from 'kafkajs';
import type { KafkaClient } from '../kafka/client.ts';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { kafkaError } from '../kafka/errors.ts';
import { missingTopics, withAdmin } from '../kafka/topics.ts';
import { within } from '../kafka/within.ts';
import type { ListSource, ListWatcher } from './list-source.ts';
import { limited, listInvalid } from './parse-hash-list.ts';
import { TopicEntries } from './topic-entries.ts';

const RELOAD_MS = 5_000;
const FETCH_WAIT_MS = 500;
/** A transaction that is still open holds back what lies behind it. */
const OPEN_TIMEOUT_MS = 120_000;
/** How long the end of a reading waits for a broker. */
const CLOSE_TIMEOUT_MS = 10_000;

export interface TopicListOptions {
  kafka: KafkaClient;
  topic: string;
  clock: Clock;
  /**
   * How long changes are gathered, in ms, since each makes the whole list be indexed anew; and how long a reading
   * that has failed waits to begin again.
   * @default 5000
   */
  reloadMs?: number | undefined;
}

/**
 * A list in a compacted topic: read from its beginning to where it ends now, and then followed. Each process reads
 * all of it, in a group of its own that commits nothing.
 */
export class TopicList implements ListSource {
  readonly name: string;
  readonly mayHoldPdq = true;
  readonly #options: TopicListOptions;
  readonly #entries = new TopicEntries();
  /** By partition, the offset to go on with. */
  readonly #next = new Map<number, number>();
  /** By partition, where the topic ended when it was opened; those that are not reached yet. */
  readonly #ends = new Map<number, number>();
  readonly #caughtUp = Promise.withResolvers<undefined>();
  readonly #closing = new AbortController();
  #following: Promise<unknown> = Promise.resolve();
  #watcher: ListWatcher | undefined;
  #isStale = false;

  constructor(options: TopicListOptions) {
    this.#options = options;
    this.name = `topic ${options.topic}`;
  }

  /** Throws AppError `list_invalid`, `topic_missing`, `kafka_unauthorized` or `kafka_unavailable`. */
  async open(watcher: ListWatcher): Promise<void> {
    await this.#findEnds();
    const reading = this.#readOn();
    this.#following = reading;
    const { clock } = this.#options;
    await within(this.#caughtUp.promise, { clock, ms: OPEN_TIMEOUT_MS, doing: this.#doing });
    if (this.#entries.faults.length > 0) throw listInvalid(this.name, this.#entries.faults);
    watcher.changed(limited(this.#entries.entries, this.name));
    this.#isStale = false;
    this.#watcher = watcher;
    this.#following = Promise.all([reading, this.#tellChanges(watcher)]);
  }

  async close(): Promise<void> {
    this.#watcher = undefined;
    this.#closing.abort();
    this.#caughtUp.promise.catch(() => undefined);
    this.#caughtUp.reject(new AppError('aborted', `${this.#doing}: stopped`));
    await this.#following;
  }

  get #doing(): string {
    return `reading the list ${this.name}`;
  }

  async #findEnds(): Promise<void> {
    const { kafka, topic } = this.#options;
    if ((await missingTopics(kafka, [topic])).length > 0) {
      throw new AppError(
        'topic_missing',
        `${this.#doing}: there is no such topic, or it is hidden from this user; create it with cleanup.policy=compact`,
      );
    }
    const offsets = await withAdmin(kafka, this.#doing, (a) => a.fetchTopicOffsets(topic));
    for (const { partition, low, high } of offsets) {
      this.#next.set(partition, Number(low));
      if (Number(low) < Number(high)) this.#ends.set(partition, Number(high));
    }
    if (this.#ends.size === 0) this.#caughtUp.resolve(undefined);
  }

  /** Reads until it is closed. Before the first end is reached a failure is the opener's to know. */
  async #readOn(): Promise<void> {
    const { clock, reloadMs = RELOAD_MS } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#consume(signal);
      } catch (error) {
        const known = kafkaError(error, this.#doing);
        if (this.#ends.size > 0) {
          this.#caughtUp.reject(known);
          return;
        }
        if (!(known instanceof AppError)) throw known;
        this.#watcher?.failed(known);
        await clock.sleep(reloadMs, signal).catch(() => undefined);
      }
    }
  }

  /** One reading, from where the last one stopped until it is closed. Throws what kafkajs gives up at. */
  async #consume(signal: AbortSignal): Promise<void> {
    const { kafka, topic, clock } = this.#options;
    const groupId = `moderato-list-${randomUUID()}`;
    const consumer = kafka.consumer({
      groupId,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
    });
    const ended = Promise.withResolvers<undefined>();
    ended.promise.catch(() => undefined); // may fail before it is waited for
    const end = (): void => ended.resolve(undefined);
    signal.addEventListener('abort', end);
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      // Otherwise kafkajs begins again by itself.
      if (!restart) ended.reject(error);
    });
    const running = this.#run(consumer, topic);
    try {
      await Promise.race([running, ended.promise]);
      await ended.promise;
    } finally {
      signal.removeEventListener('abort', end);
      // A consumer that is disconnected while it joins its group goes on, and nobody could stop it any more.
      await within(running, { clock, ms: CLOSE_TIMEOUT_MS, doing: this.#doing }).catch(
        () => undefined,
      );
      await consumer.disconnect().catch(() => undefined);
      // Out of courtesy: a broker forgets an empty group by itself, after days.
      await withAdmin(kafka, 'removing a group', (a) => a.deleteGroups([groupId])).catch(
        () => undefined,
      );
    }
  }

  async #run(consumer: Consumer, topic: string): Promise<void> {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      for (const partition of payload.memberAssignment[topic] ?? []) {
        const offset = String(this.#next.get(partition) ?? 0);
        consumer.seek({ topic, partition, offset });
      }
    });
    // Not eachBatch: a fetch of nothing but markers and aborted records does not get there.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) =>
      this.#reach(payload.partition, Number(payload.lastOffset) + 1),
    );
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch: { partition, messages } }) => {
        for (const { key, value, offset } of messages) {
          const fault = this.#entries.apply({ key, value, partition, offset });
          if (fault === null) this.#isStale = true;
          else this.#watcher?.failed(listInvalid(this.name, [fault]));
        }
        return Promise.resolve();
      },
    });
  }

  #reach(partition: number, next: number): void {
    this.#next.set(partition, next);
    if (next >= (this.#ends.get(partition) ?? 0)) this.#ends.delete(partition);
    if (this.#ends.size === 0) this.#caughtUp.resolve(undefined);
  }

  async #tellChanges(watcher: ListWatcher): Promise<void> {
    const { clock, reloadMs = RELOAD_MS } = this.#options;
    const { signal } = this.#closing;
    for (;;) {
      await clock.sleep(reloadMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (!this.#isStale) continue;
      this.#isStale = false;
      this.#tell(watcher);
    }
  }

  #tell(watcher: ListWatcher): void {
    try {
      watcher.changed(limited(this.#entries.entries, this.name));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      watcher.failed(error);
    }
  }
}
