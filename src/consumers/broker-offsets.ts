import type { Admin } from 'kafkajs';
import type { KafkaClient } from '../kafka/client.ts';
import type { Clock } from '../clock.ts';
import { within } from '../kafka/within.ts';

/** What the broker knows of one partition. Offsets are of the next record. */
export interface BrokerOffsets {
  partition: number;
  /** The group's committed offset; -1 when there is none. */
  committed: number;
  /** Where a member that is assigned the partition begins to read. */
  start: number;
  end: number;
}

export interface BrokerOffsetsReaderOptions {
  kafka: KafkaClient;
  topic: string;
  groupId: string;
  startFrom: 'earliest' | 'latest';
  clock: Clock;
}

/** How long an answer is waited for, in ms, before another client asks. */
const ANSWER_TIMEOUT_MS = 20_000;

/** Asks the broker where the group stands: the consumer itself learns nothing of partitions that are idle. */
export class BrokerOffsetsReader {
  #admin: Admin;
  readonly #options: BrokerOffsetsReaderOptions;
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: BrokerOffsetsReaderOptions) {
    this.#options = options;
    this.#admin = options.kafka.admin();
  }

  async open(): Promise<void> {
    await this.#admin.connect();
  }

  async partitionCount(): Promise<number> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [this.#options.topic] });
    return topics[0]?.partitions.length ?? 0;
  }

  /** Rejects once it is closed: kafkajs would connect anew for it, and nobody would ever disconnect that. */
  read(): Promise<BrokerOffsets[]> {
    if (this.#closed)
      return Promise.reject(new Error('the offsets of the broker are not asked for any more'));
    const read = this.#read();
    this.#reading = Promise.allSettled([this.#reading, read]);
    return read;
  }

  async #read(): Promise<BrokerOffsets[]> {
    const { clock, topic } = this.#options;
    const admin = this.#admin;
    try {
      const doing = `asking for the offsets of ${topic}`;
      return await within(this.#ask(admin), { clock, ms: ANSWER_TIMEOUT_MS, doing });
    } catch (error) {
      // kafkajs may never find its way back to a coordinator that has moved: a new client asks the next time.
      this.#admin = this.#options.kafka.admin();
      admin.disconnect().catch(() => undefined);
      throw error;
    }
  }

  async #ask(admin: Admin): Promise<BrokerOffsets[]> {
    const { topic, groupId, startFrom } = this.#options;
    await admin.connect();
    const [logs, [group]] = await Promise.all([
      admin.fetchTopicOffsets(topic),
      admin.fetchOffsets({ groupId, topics: [topic] }),
    ]);
    const commits = new Map(group?.partitions.map((p) => [p.partition, Number(p.offset)]));
    return logs.map(({ partition, low, high }) => {
      const committed = commits.get(partition) ?? -1;
      const first = startFrom === 'earliest' ? Number(low) : Number(high);
      const start = committed < 0 ? first : Math.max(committed, Number(low));
      return { partition, committed, start, end: Number(high) };
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reading;
    await this.#admin.disconnect();
  }
}
