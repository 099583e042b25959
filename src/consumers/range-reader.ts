import { randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { KafkaClient } from '../kafka/client.ts';
import { AppError } from '../errors.ts';
import { kafkaError } from '../kafka/errors.ts';
import { withAdmin } from '../kafka/topics.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { toKafkaRecord, type FetchedMessage } from '../kafka/fetch/fetched-message.ts';
import type { OffsetRange, RangePositions } from './range-positions.ts';

const STALL_TIMEOUT_MS = 90_000;
const STALL_CHECK_MS = 1_000;
const HEARTBEAT_MS = 1_000;
/**
 * Of one fetch: what is held in memory, at most, for each broker, unless a single record is larger. Small records
 * take a multiple as objects.
 */
const FETCH_BYTES = 1024 * 1024;

export interface ReadRangesOptions {
  kafka: KafkaClient;
  /** One for a partition at most; empty ones are fine. */
  ranges: readonly OffsetRange[];
  /** Awaited before the next record is handed over. What it throws ends the reading. */
  onRecord: (record: KafkaRecord) => void | Promise<void>;
  signal?: AbortSignal | undefined;
  /**
   * How long reading may stand still before it is given up, in ms. The broker holds back what lies behind an
   * open transaction, into which a range that was not made by `rangesOf` may reach. It aborts one whose producer
   * has died after transaction.timeout.ms, which is 60 s unless the producer says otherwise, and looks for such
   * every 10 s: the default outlasts both.
   * @default 90000
   */
  stallTimeoutMs?: number | undefined;
}

/** One reading of what `positions` has open. It is the only member of a group that nobody else knows. */
export class RangeReader {
  readonly #positions: RangePositions;
  readonly #options: ReadRangesOptions;
  readonly #consumer: Consumer;
  readonly #groupId = `moderato-range-${randomUUID()}`;
  readonly #topics: string[];
  readonly #ended = Promise.withResolvers<undefined>();
  #over = false;
  #inHand = false;
  #movedAt = performance.now();
  /** Since the last move: kafkajs starts again by itself after it, and so perhaps for ever. */
  #crash: Error | undefined;

  constructor(positions: RangePositions, options: ReadRangesOptions) {
    this.#positions = positions;
    this.#options = options;
    this.#topics = [...new Set(positions.open().map(({ topic }) => topic))];
    this.#consumer = options.kafka.consumer({
      groupId: this.#groupId,
      maxWaitTimeInMs: 200,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: FETCH_BYTES,
      allowAutoTopicCreation: false,
    });
    this.#ended.promise.catch(() => undefined); // may fail before `read` waits for it
    this.#listen();
  }

  async read(): Promise<void> {
    const { kafka, signal, stallTimeoutMs = STALL_TIMEOUT_MS } = this.#options;
    const abort = (): void => this.#end(new AppError('aborted', `${this.#doing}: stopped`));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    const watch = setInterval(
      () => this.#checkStall(stallTimeoutMs),
      Math.min(STALL_CHECK_MS, stallTimeoutMs),
    );
    try {
      await Promise.race([this.#start(), this.#ended.promise]);
      await this.#ended.promise;
    } catch (error) {
      throw kafkaError(error, this.#doing);
    } finally {
      clearInterval(watch);
      signal?.removeEventListener('abort', abort);
      await this.#consumer.disconnect().catch(() => undefined);
      // Out of courtesy: a broker forgets an empty group by itself, after days.
      await withAdmin(kafka, 'removing a group', (admin) =>
        admin.deleteGroups([this.#groupId]),
      ).catch(() => undefined);
    }
  }

  get #doing(): string {
    return `reading ${this.#topics.join(', ')}`;
  }

  async #start(): Promise<void> {
    if (this.#over) return;
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: this.#topics, fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatch: (payload) => this.#eachBatch(payload),
    });
  }

  #listen(): void {
    const { events } = this.#consumer;
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment));
    // Not eachBatch: a fetch of nothing but markers and aborted records does not get there.
    this.#consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      if (!this.#over) this.#advance(payload.topic, payload.partition, payload.lastOffset);
    });
    this.#consumer.on(events.CRASH, ({ payload: { error, restart } }) => {
      this.#crash = error;
      if (!restart) this.#end(error);
    });
  }

  /** What an earlier generation had fetched is read again, and passed over where it was handed over. */
  #joined(assignment: Record<string, number[]>): void {
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const range = this.#positions.openOf(topic, partition);
        if (range) this.#consumer.seek({ topic, partition, offset: String(range.next) });
        else this.#consumer.pause([{ topic, partitions: [partition] }]);
      }
    }
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    let beatAt = performance.now();
    this.#inHand = true;
    try {
      for (const message of messages) {
        const offset = Number(message.offset);
        const range = this.#positions.openOf(topic, partition);
        if (this.#over || !range) return;
        if (offset < range.next || offset >= range.to) continue;
        try {
          await this.#options.onRecord(
            toKafkaRecord(topic, partition, message as unknown as FetchedMessage),
          );
        } catch (error) {
          this.#end(error); // not to kafkajs, which would try again
          return;
        }
        this.#positions.advance(topic, partition, offset + 1);
        if (performance.now() - beatAt < HEARTBEAT_MS) continue;
        await payload.heartbeat(); // throws when the group is to be joined again
        beatAt = performance.now();
      }
    } finally {
      this.#inHand = false;
      this.#movedAt = performance.now();
      if (this.#positions.done) this.#end();
    }
  }

  #advance(topic: string, partition: number, lastOffset: string): void {
    this.#movedAt = performance.now();
    this.#crash = undefined;
    this.#positions.advance(topic, partition, Number(lastOffset) + 1);
    if (!this.#positions.openOf(topic, partition)) {
      this.#consumer.pause([{ topic, partitions: [partition] }]);
    }
    if (this.#positions.done) this.#end();
  }

  #checkStall(timeoutMs: number): void {
    if (this.#inHand || performance.now() - this.#movedAt < timeoutMs) return;
    const at = this.#positions
      .open()
      .map(({ topic, partition, next, to }) => `${topic}/${partition} at ${next} of ${to}`);
    const stalled = new AppError(
      'range_unreadable',
      `${this.#doing}: nothing came for ${timeoutMs / 1000} s (${at.join(', ')}); a transaction that is still open holds back what lies behind it: try again when its producer has ended it`,
    );
    this.#end(this.#crash ?? stalled);
  }

  #end(error?: unknown): void {
    this.#over = true;
    if (error === undefined) this.#ended.resolve(undefined);
    else this.#ended.reject(error);
  }
}
