import type { Delivery, EventSource, SourceStatus } from './event-source.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import type { MemoryTopic } from './memory-topic.ts';
import { OffsetLedger } from './offset-ledger.ts';

/** The in-memory adapter of EventSource: the only member of its group, committing with each resolve. */
export class MemoryEventSource implements EventSource {
  readonly #topic: MemoryTopic;
  readonly #ledger = new OffsetLedger();
  readonly #positions = new Map<number, number>();
  /** How many records of a partition are parked: it is then passed over. */
  readonly #parked = new Map<number, number>();
  #released = Promise.withResolvers<undefined>();
  readonly #stopping = Promise.withResolvers<undefined>();
  #lastPartition = -1;
  #waiting = false;
  #stopped = false;
  #closed = false;

  constructor(topic: MemoryTopic) {
    this.#topic = topic;
    this.rebalance();
  }

  async *deliveries(): AsyncGenerator<Delivery> {
    while (!this.#stopped) {
      const record = this.#next();
      if (record) yield this.#lend(record);
      else if (this.#topic.ended && !this.#hasUnread()) return;
      else await this.#more();
    }
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.resolve(undefined);
    return Promise.resolve();
  }

  /** There is no next owner. */
  accuse(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.stop();
    this.#ledger.revoke();
    this.#closed = true;
  }

  status(): SourceStatus {
    const topic = this.#topic;
    for (const partition of topic.partitions) {
      this.#ledger.observeEnd(partition, topic.endOf(partition));
    }
    return {
      alive: !this.#closed,
      assigned: true,
      paused: this.#stopped || !this.#waiting,
      partitions: this.#ledger
        .progress()
        .map(({ partition, committed, lag }) => ({ topic: topic.name, partition, committed, lag })),
    };
  }

  /** What a rebalance does that gives back every partition: reading goes on from the committed offsets. */
  rebalance(): void {
    this.#ledger.revoke();
    this.#ledger.assign(this.#topic.partitions);
    for (const partition of this.#topic.partitions) this.#align(partition);
    this.#nudge();
  }

  #align(partition: number): void {
    const committed = this.#topic.committed(partition);
    const start = Math.max(committed, 0);
    this.#positions.set(partition, start);
    this.#ledger.begin(partition, { committed, start });
  }

  /** The partitions take turns. */
  #next(): KafkaRecord | undefined {
    const { partitions } = this.#topic;
    for (let turn = 1; turn <= partitions.length; turn += 1) {
      const partition = (this.#lastPartition + turn) % partitions.length;
      const record = this.#topic.at(partition, this.#positions.get(partition) ?? 0);
      if (!record || this.#parked.has(partition)) continue;
      this.#lastPartition = partition;
      return record;
    }
    return undefined;
  }

  #hasUnread(): boolean {
    return this.#topic.partitions.some(
      (partition) => (this.#positions.get(partition) ?? 0) < this.#topic.endOf(partition),
    );
  }

  #lend(record: KafkaRecord): Delivery {
    const { partition, offset } = record;
    const resolve = this.#ledger.handOut(partition, offset);
    const epoch = this.#ledger.epochOf(partition);
    this.#positions.set(partition, offset + 1);
    return {
      record,
      revoked: this.#ledger.revoked(partition),
      park: () => this.#park(partition),
      spent: () => undefined,
      rewind: () => {
        if (this.#ledger.epochOf(partition) !== epoch) return;
        this.#ledger.assign([partition]);
        this.#align(partition);
        this.#nudge();
      },
      resolve: () => {
        resolve();
        const commits = this.#ledger.committable();
        for (const { partition, offset } of commits) this.#topic.commit(partition, offset);
        this.#ledger.confirm(commits);
      },
    };
  }

  #park(partition: number): () => void {
    this.#parked.set(partition, (this.#parked.get(partition) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = (this.#parked.get(partition) ?? 1) - 1;
      if (left > 0) this.#parked.set(partition, left);
      else this.#parked.delete(partition);
      this.#nudge();
    };
  }

  async #more(): Promise<void> {
    this.#waiting = true;
    const more = this.#topic.ended ? [] : [this.#topic.more()];
    await Promise.race([...more, this.#stopping.promise, this.#released.promise]);
    this.#waiting = false;
  }

  /** Something may be had now that was not before. */
  #nudge(): void {
    this.#released.resolve(undefined);
    this.#released = Promise.withResolvers();
  }
}
