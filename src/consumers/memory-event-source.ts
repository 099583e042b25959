import type { Delivery, EventSource, InputRecord, SourceStatus } from './event-source.ts';
import type { MemoryTopic } from './memory-topic.ts';
import { OffsetLedger } from './offset-ledger.ts';

/** The in-memory adapter of EventSource: the only member of its group, committing with each resolve. */
export class MemoryEventSource implements EventSource {
  readonly #topic: MemoryTopic;
  readonly #ledger = new OffsetLedger();
  readonly #positions = new Map<number, number>();
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
      else if (this.#topic.ended) return;
      else await this.#more();
    }
  }

  stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.resolve(undefined);
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
    for (const partition of this.#topic.partitions) {
      const committed = this.#topic.committed(partition);
      const start = Math.max(committed, 0);
      this.#positions.set(partition, start);
      this.#ledger.begin(partition, { committed, start });
    }
  }

  /** The partitions take turns. */
  #next(): InputRecord | undefined {
    const { partitions } = this.#topic;
    for (let turn = 1; turn <= partitions.length; turn += 1) {
      const partition = (this.#lastPartition + turn) % partitions.length;
      const record = this.#topic.at(partition, this.#positions.get(partition) ?? 0);
      if (!record) continue;
      this.#lastPartition = partition;
      return record;
    }
    return undefined;
  }

  #lend(record: InputRecord): Delivery {
    const resolve = this.#ledger.handOut(record.partition, record.offset);
    this.#positions.set(record.partition, record.offset + 1);
    return {
      record,
      resolve: () => {
        resolve();
        const commits = this.#ledger.committable();
        for (const { partition, offset } of commits) this.#topic.commit(partition, offset);
        this.#ledger.confirm(commits);
      },
    };
  }

  async #more(): Promise<void> {
    this.#waiting = true;
    await Promise.race([this.#topic.more(), this.#stopping.promise]);
    this.#waiting = false;
  }
}
