import type { KafkaRecord } from '../record.ts';
import type { TopicPartition } from '../by-topic.ts';

/** What one fetch has brought of one partition. */
export interface Fetched extends TopicPartition {
  /** Decoded as they are taken, once. */
  records: Iterable<KafkaRecord>;
  /** Memory that the records take, in bytes. */
  bytes: number;
  /** The offset to read on from: behind the last record, marker or gap. */
  next: number;
}

/** One partition that is being read, for as long as it is assigned without interruption. */
export class Reading implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to fetch; undefined until it is known. */
  position: number | undefined;
  /** A fetch of it is under way. */
  isFetching = false;
  /** The offset behind the last record; undefined until a broker has told. */
  end: number | undefined;
  /** The offset before which no transaction is open; undefined until a broker has told. */
  lastStable: number | undefined;
  /** The producer of the transaction that holds readers back, where it is known. */
  openProducer: string | undefined;
  /** Memory that records take for a byte of a response: compressed records swell. Moving average. */
  expansion = 1;
  /** Its next batch exceeds the quota of this client: the offset, and when to try it again (monotonic ms). */
  oversized: { offset: number; retryAt: number } | undefined;

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic;
    this.partition = partition;
  }

  /** An open transaction hides what comes next. */
  get isHeldBack(): boolean {
    const { position, lastStable, end } = this;
    if (position === undefined || lastStable === undefined || end === undefined) return false;
    return lastStable < end && position >= lastStable;
  }

  observe({ wireBytes, bytes }: { wireBytes: number; bytes: number }): void {
    if (wireBytes <= 0) return;
    const ratio = Math.max(1, bytes / wireBytes);
    // Up at once, down slowly: the next fetch must fit even if all of it swells as this one did.
    this.expansion = ratio > this.expansion ? ratio : this.expansion * 0.8 + ratio * 0.2;
  }
}
