import { keyOf, type TopicPartition } from '../kafka/by-topic.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import type { DeliverySuspicion } from './event-source.ts';
import { accuse, formatNote, parseNote, type Suspicion } from './suspects.ts';

/** The suspects of one partition. */
interface Suspected extends Suspicion, TopicPartition {}

/**
 * Runs the suspects of a death one at a time, over all lanes. While the next record of a partition is a suspect,
 * nothing else is handed out; it is, once nothing else is at work.
 */
export class SoloRuns {
  readonly #partitions = new Map<string, Suspected>();
  #running: KafkaRecord | undefined;

  /** @param metadata - what was committed with the partition's offset */
  open({ topic, partition }: TopicPartition, metadata: string): void {
    const suspicion = parseNote(metadata);
    const key = keyOf({ topic, partition });
    if (suspicion.suspects.length === 0) this.#partitions.delete(key);
    else this.#partitions.set(key, { topic, partition, ...suspicion });
  }

  close(partition: TopicPartition): void {
    const key = keyOf(partition);
    this.#partitions.delete(key);
    if (this.#running && keyOf(this.#running) === key) this.#running = undefined;
  }

  /** Which records may be handed out now. `active`: records at work; `head`: the next record of a partition. */
  gate(
    active: number,
    head: (partition: TopicPartition) => KafkaRecord | undefined,
  ): (record: KafkaRecord) => boolean {
    if (this.#partitions.size === 0) return () => true;
    // One that is parked waits for something absent: it is not at work.
    if (this.#running && active > 0) return () => false;
    const isBlocked = [...this.#partitions.values()].some((partition) => {
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
    return { deaths, alone, fault: this.#partitions.get(keyOf(record))?.fault ?? '' };
  }

  /** Says that the record is resolved: it is a suspect no more. */
  end(record: KafkaRecord): void {
    if (this.#running === record) this.#running = undefined;
    const key = keyOf(record);
    const suspected = this.#partitions.get(key);
    if (!suspected) return;
    suspected.suspects = suspected.suspects.filter(({ offset }) => offset !== record.offset);
    if (suspected.suspects.length === 0) this.#partitions.delete(key);
  }

  /** Adds one more death at each of `records`. */
  accuse(records: readonly KafkaRecord[], death: { isAlone: boolean; fault: string }): void {
    for (const [key, accused] of Map.groupBy(records, keyOf)) {
      const [{ topic, partition }] = accused as [KafkaRecord];
      const before = this.#partitions.get(key) ?? { suspects: [], fault: '' };
      const offsets = accused.map(({ offset }) => offset);
      this.#partitions.set(key, { topic, partition, ...accuse(before, offsets, death) });
    }
  }

  /** What is to be committed with the partition's offset. */
  note(partition: TopicPartition): string {
    const suspected = this.#partitions.get(keyOf(partition));
    return suspected ? formatNote(suspected) : '';
  }

  #find(record: KafkaRecord): Suspicion['suspects'][number] | undefined {
    const { suspects = [] } = this.#partitions.get(keyOf(record)) ?? {};
    return suspects.find(({ offset }) => offset === record.offset);
  }
}
