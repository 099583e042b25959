import { keyOf, type TopicPartition } from '../kafka/by-topic.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import type { PartitionIntake } from './intake.ts';

/** Records handed out and not resolved, in epochs that go on. */
export class InHand {
  readonly #records = new Set<KafkaRecord>();
  /** Of those, the ones that wait for an absent dependency. */
  readonly #parked = new Set<KafkaRecord>();

  /** How many are being worked on. */
  get active(): number {
    return this.#records.size - this.#parked.size;
  }

  all(): KafkaRecord[] {
    return [...this.#records];
  }

  add(record: KafkaRecord): void {
    this.#records.add(record);
  }

  /** False for a record that is not in hand any more. */
  remove(record: KafkaRecord): boolean {
    this.#parked.delete(record);
    return this.#records.delete(record);
  }

  /** The partition is read by another member now, or read again. */
  forget(partition: TopicPartition): void {
    const key = keyOf(partition);
    for (const record of this.#records) if (keyOf(record) === key) this.remove(record);
  }

  /** Counts a record as parked until what is returned was called. Idempotent. */
  park(record: KafkaRecord, intake: PartitionIntake, onChange: () => void): () => void {
    if (!this.#records.has(record) || this.#parked.has(record)) return () => undefined;
    intake.parked += 1;
    this.#parked.add(record);
    onChange();
    let isParked = true;
    return () => {
      if (!isParked) return;
      isParked = false;
      intake.parked -= 1;
      this.#parked.delete(record);
      onChange();
    };
  }
}
