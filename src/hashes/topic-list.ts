import type { KafkaClient } from '../kafka/client.ts';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { kafkaError } from '../kafka/errors.ts';
import { followTopics, rangesOf } from '../kafka/read-range.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { missingTopics } from '../kafka/topics.ts';
import { within } from '../kafka/within.ts';
import type { ListSource, ListWatcher } from './list-source.ts';
import { limited, listInvalid } from './parse-hash-list.ts';
import { TopicEntries } from './topic-entries.ts';

const RELOAD_MS = 5_000;
const FETCH_WAIT_MS = 500;
/** A transaction that is still open holds back what lies behind it. */
const OPEN_TIMEOUT_MS = 120_000;

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
 * all of it, in no consumer group.
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
    for (const { partition, from, to } of await rangesOf(kafka, [topic])) {
      this.#next.set(partition, from);
      if (from < to) this.#ends.set(partition, to);
    }
    if (this.#ends.size === 0) this.#caughtUp.resolve(undefined);
  }

  /** Reads until it is closed. Before the first end is reached a failure is the opener's to know. */
  async #readOn(): Promise<void> {
    const { kafka, topic, clock, reloadMs = RELOAD_MS } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await followTopics({
          kafka,
          positions: [...this.#next].map(([partition, from]) => ({ topic, partition, from })),
          maxWaitMs: FETCH_WAIT_MS,
          clock,
          signal,
          onRecord: (record) => this.#apply(record),
          onPosition: (_, partition, next) => this.#reach(partition, next),
        });
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

  #apply(record: KafkaRecord): void {
    const fault = this.#entries.apply(record);
    if (fault === null) this.#isStale = true;
    else this.#watcher?.failed(listInvalid(this.name, [fault]));
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
