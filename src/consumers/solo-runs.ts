import type { KafkaRecord } from '../kafka/record.ts';
import type { DeliverySuspicion } from './event-source.ts';
import { accuse, formatNote, parseNote, type Suspicion } from './suspects.ts';

/**
 * Runs the suspects of a death one at a time. While the next record of a partition is a suspect, nothing else is
 * handed out; it is, once nothing else is at work.
 */
export class SoloRuns {
  readonly #partitions = new Map<number, Suspicion>();
  #running: KafkaRecord | undefined;

  /** @param metadata - what was committed with the partition's offset */
  open(partition: number, metadata: string): void {
    const suspicion = parseNote(metadata);
    if (suspicion.suspects.length > 0) this.#partitions.set(partition, suspicion);
    else this.#partitions.delete(partition);
  }

  close(partition: number): void {
    this.#partitions.delete(partition);
    if (this.#running?.partition === partition) this.#running = undefined;
  }

  /** Which records may be handed out now. `active`: records at work; `head`: the next record of a partition. */
  gate(
    active: number,
    head: (partition: number) => KafkaRecord | undefined,
  ): (record: KafkaRecord) => boolean {
    if (this.#partitions.size === 0) return () => true;
    // One that is parked waits for something absent: it is not at work.
    if (this.#running && active > 0) return () => false;
    const isBlocked = [...this.#partitions.keys()].some((partition) => {
      const next = head(partition);
      return next !== undefined && this.#find(next) !== undefined;
    });
    if (!isBlocked) return () => true;
    return (record) => active === 0 && this.#find(record) !== undefined;
  }

  /** Says that the record is handed out; what it is suspected of. */
  begin(record: KafkaRecord): DeliverySuspicion | undefined {
    const suspect = this.#find(record);
    if (!suspect) return undefined;
    this.#running = record;
    const { deaths, alone } = suspect;
    return { deaths, alone, fault: this.#partitions.get(record.partition)?.fault ?? '' };
  }

  /** Says that the record is resolved: it is a suspect no more. */
  end(record: KafkaRecord): void {
    if (this.#running === record) this.#running = undefined;
    const suspicion = this.#partitions.get(record.partition);
    if (!suspicion) return;
    suspicion.suspects = suspicion.suspects.filter(({ offset }) => offset !== record.offset);
    if (suspicion.suspects.length === 0) this.#partitions.delete(record.partition);
  }

  /** Adds one more death at each of `records`. */
  accuse(records: readonly KafkaRecord[], death: { isAlone: boolean; fault: string }): void {
    for (const [partition, accused] of Map.groupBy(records, (record) => record.partition)) {
      const before = this.#partitions.get(partition) ?? { suspects: [], fault: '' };
      const offsets = accused.map(({ offset }) => offset);
      this.#partitions.set(partition, accuse(before, offsets, death));
    }
  }

  /** What is to be committed with the partition's offset. */
  note(partition: number): string {
    const suspicion = this.#partitions.get(partition);
    return suspicion ? formatNote(suspicion) : '';
  }

  #find({ partition, offset }: KafkaRecord): Suspicion['suspects'][number] | undefined {
    return this.#partitions.get(partition)?.suspects.find((each) => each.offset === offset);
  }
}
