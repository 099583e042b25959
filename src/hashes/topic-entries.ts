import { EntryFault } from './entry-fields.ts';
import type { ListEntry } from './hash-list.ts';
import { parseJsonEntry } from './json-entry.ts';
import type { KafkaRecord } from '../kafka/record.ts';

/** A record of a list's topic. */
export type EntryRecord = Pick<KafkaRecord, 'key' | 'value' | 'partition' | 'offset' | 'fault'>;

/** What a compacted topic says: of each key what was said last, in a way that can be read. */
export class TopicEntries {
  readonly #entries = new Map<string, ListEntry>();
  /** Of each key whose last record cannot be read. */
  readonly #faults = new Map<string, string>();

  get entries(): ListEntry[] {
    return [...this.#entries.values()];
  }

  get faults(): string[] {
    return [...this.#faults.values()];
  }

  /**
   * Takes a record in: its key names the entry, its value is the entry in JSON; without a value the entry is removed.
   * Returns what is wrong with it, and then keeps what the key said before.
   */
  apply({ key, value, partition, offset, fault: unread }: EntryRecord): string | null {
    const at = `partition ${partition}, offset ${offset}`;
    const id = key?.toString() ?? '';
    const fault = unread?.message ?? this.#faultOf(id, value);
    if (fault === null) {
      this.#faults.delete(id);
      return null;
    }
    this.#faults.set(id === '' ? at : id, `${at}: ${fault}`);
    return `${at}: ${fault}`;
  }

  #faultOf(id: string, value: Buffer | null): string | null {
    return id === '' ? 'no key; the key is the id of the entry' : this.#set(id, value);
  }

  #set(id: string, value: Buffer | null): string | null {
    try {
      const entry = value === null ? null : parseJsonEntry(value.toString());
      if (entry === null) this.#entries.delete(id);
      else this.#entries.set(id, { ...entry, id });
      return null;
    } catch (error) {
      if (!(error instanceof EntryFault)) throw error;
      return error.message;
    }
  }
}
