import type { Header } from '../events/types.generated.ts';
import type { KafkaRecord } from '../kafka/record.ts';

/** What a producer gives; everything left out is what Kafka makes of it. */
export interface NewRecord {
  /** @default round-robin */
  partition?: number;
  key?: Buffer | null;
  value: Buffer | null;
  headers?: Header[];
  /** Milliseconds since the epoch. @default now */
  timestamp?: number;
}

export interface MemoryTopicOptions {
  /** @default 'memory' */
  topic?: string;
  /** @default 1 */
  partitions?: number;
  /**
   * Records to come, read one by one as they are asked for; the topic ends after the last. Without it the topic
   * goes on until `end()`.
   */
  records?: Iterable<NewRecord> | AsyncIterable<NewRecord>;
}

/** A topic and one group's committed offsets, in memory: what a broker keeps while sources come and go. */
export class MemoryTopic {
  readonly name: string;
  readonly #partitions: Array<{ records: KafkaRecord[]; dropped: number; committed: number }>;
  readonly #incoming: AsyncIterator<NewRecord> | Iterator<NewRecord> | undefined;
  #appended = 0;
  #ended = false;
  #change = Promise.withResolvers<undefined>();

  constructor({ topic = 'memory', partitions = 1, records }: MemoryTopicOptions = {}) {
    this.name = topic;
    this.#partitions = Array.from({ length: partitions }, () => ({
      records: [],
      dropped: 0,
      committed: -1,
    }));
    if (records) {
      this.#incoming =
        Symbol.asyncIterator in records
          ? records[Symbol.asyncIterator]()
          : records[Symbol.iterator]();
    }
  }

  get partitions(): number[] {
    return [...this.#partitions.keys()];
  }

  get ended(): boolean {
    return this.#ended;
  }

  append(record: NewRecord): KafkaRecord {
    const partition = record.partition ?? this.#appended % this.#partitions.length;
    const log = this.#log(partition);
    const appended: KafkaRecord = {
      topic: this.name,
      partition,
      offset: this.endOf(partition),
      timestamp: record.timestamp ?? Date.now(),
      key: record.key ?? null,
      value: record.value,
      headers: record.headers ?? [],
    };
    log.records.push(appended);
    this.#appended += 1;
    this.#changed();
    return appended;
  }

  /** No more records: `deliveries` ends once the last one was handed out. */
  end(): void {
    this.#ended = true;
    this.#changed();
  }

  at(partition: number, offset: number): KafkaRecord | undefined {
    const { records, dropped } = this.#log(partition);
    return records[offset - dropped];
  }

  endOf(partition: number): number {
    const { records, dropped } = this.#log(partition);
    return dropped + records.length;
  }

  /** The committed offset: the next to be read; -1 before the first commit. */
  committed(partition = 0): number {
    return this.#log(partition).committed;
  }

  /** Records below the committed offset are never read again: they are dropped, half of the log at a time. */
  commit(partition: number, offset: number): void {
    const log = this.#log(partition);
    log.committed = offset;
    const done = offset - log.dropped;
    if (done * 2 < log.records.length) return;
    log.records.splice(0, done);
    log.dropped = offset;
  }

  /** Resolves when there may be something new to read: at once when records can be had by asking. */
  async more(): Promise<void> {
    if (!this.#incoming || this.#ended) {
      await this.#change.promise;
      return;
    }
    const next = await this.#incoming.next();
    if (next.done) this.end();
    else this.append(next.value);
  }

  #changed(): void {
    this.#change.resolve(undefined);
    this.#change = Promise.withResolvers();
  }

  #log(partition: number): { records: KafkaRecord[]; dropped: number; committed: number } {
    const log = this.#partitions[partition];
    if (!log) throw new RangeError(`topic ${this.name} has no partition ${partition}`);
    return log;
  }
}
