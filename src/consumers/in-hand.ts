import type { KafkaRecord } from '../kafka/record.ts';
import type { PartitionIntake } from './intake.ts';

/** Records handed out and not resolved, in epochs that go on. */
export class InHand {
  readonly #records = new Set<KafkaRecord>();
  #parked = 0;

  /** Those that are being worked on: the parked ones wait. */
  get active(): number {
    return this.#records.size - this.#parked;
  }

  all(): KafkaRecord[] {
    return [...this.#records];
  }

  add(record: KafkaRecord): void {
    this.#records.add(record);
  }

  /** False for a record that is not in hand any more. */
  remove(record: KafkaRecord): boolean {
    return this.#records.delete(record);
  }

  /** The partition is read by another member now, or anew. */
  forget(partition: number): void {
    for (const record of this.#records) {
      if (record.partition === partition) this.#records.delete(record);
    }
  }

  /** Counts a record of the partition as parked until what is returned was called. Idempotent. */
  park(intake: PartitionIntake, onChange: () => void): () => void {
    const change = (by: 1 | -1): void => {
      intake.parked += by;
      this.#parked += by;
      onChange();
    };
    change(1);
    let isParked = true;
    return () => {
      if (!isParked) return;
      isParked = false;
      change(-1);
    };
  }
}
