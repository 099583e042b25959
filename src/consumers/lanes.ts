import { FairTurns } from '../fair-turns.ts';
import { keyOf, type TopicPartition } from '../kafka/by-topic.ts';
import type { Fetched } from '../kafka/group/group-consumer.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import type { Lane } from '../lane.ts';
import type { Committable } from './commit-loop.ts';
import type { Delivery } from './event-source.ts';
import { Holdings, type HoldingsOptions } from './holdings.ts';
import { InHand } from './in-hand.ts';
import type { Commit } from './offset-ledger.ts';
import { SoloRuns } from './solo-runs.ts';

export interface LanesOptions
  extends
    Pick<HoldingsOptions, 'maxBytes' | 'window' | 'windowWhileParked'>,
    Pick<HoldingsOptions, 'onChange' | 'onRoom' | 'onRewind'> {
  lanes: readonly Lane[];
}

/** An offset of a lane to commit. */
export interface LaneCommit extends Commit {
  topic: string;
}

/**
 * The lanes, and whose turn it is. A lane with priority comes before those without; lanes of the same kind share by
 * weight and by what their records cost. A lane that has nothing to hand out leaves its share to the others, and saves
 * nothing up.
 *
 * Bound: between two lanes of the same kind that could both hand something out all the time, what their records cost,
 * divided by the weights, differs by at most the largest cost of one record of each, divided by its weight (FairTurns).
 * The cost of a record in flight is an estimate until it is known.
 */
export class Lanes implements Committable<LaneCommit> {
  readonly #lanes = new Map<string, Holdings>();
  readonly #first = new FairTurns<Holdings>();
  readonly #rest = new FairTurns<Holdings>();
  readonly #solo = new SoloRuns();
  readonly #inHand = new InHand();

  constructor({ lanes, ...options }: LanesOptions) {
    for (const { topic, weight, priority } of lanes) {
      const turns = priority ? this.#first : this.#rest;
      const holdings: Holdings = new Holdings({
        ...options,
        topic,
        solo: this.#solo,
        inHand: this.#inHand,
        sharers: () => this.#size,
        onCost: (costMs) => turns.charge(holdings, costMs),
      });
      this.#lanes.set(topic, holdings);
      turns.add(holdings, weight);
    }
  }

  /** Records that are being worked on: the parked ones wait. */
  get active(): number {
    return this.#inHand.active;
  }

  /** True while a fetched record waits. */
  get hasRecords(): boolean {
    return this.#lanes.values().some((lane) => lane.hasRecords);
  }

  /** Begins a new epoch of the partition, with nothing fetched. */
  open({ topic, partition }: TopicPartition): void {
    this.#lanes.get(topic)?.open(partition);
  }

  /** Ends the epoch: nothing of the partition is handed out or committed any more. */
  close({ topic, partition }: TopicPartition): void {
    this.#lanes.get(topic)?.close(partition);
  }

  /** Ends all epochs of the ledgers: resolving has no effect any more. */
  revoke(): void {
    for (const { ledger } of this.#lanes.values()) ledger.revoke();
  }

  /** Says what the group has committed, and the note with it. */
  begin(
    { topic, partition }: TopicPartition,
    known: { committed: number; start: number; metadata: string },
  ): void {
    this.#lanes.get(topic)?.begin(partition, known);
  }

  roomFor({ topic, partition }: TopicPartition): number {
    return this.#lanes.get(topic)?.roomFor(partition) ?? 0;
  }

  fetched({ topic, ...fetched }: Fetched): void {
    this.#lanes.get(topic)?.fetched(fetched);
  }

  /** Notes where the partition ends: the offset that its next record will have. */
  observeEnd({ topic, partition }: TopicPartition, end: number): void {
    this.#lanes.get(topic)?.ledger.observeEnd(partition, end);
  }

  /** By lane and partition. */
  progress(): ReturnType<Holdings['progress']> {
    return [...this.#lanes.values()].flatMap((lane) => lane.progress());
  }

  /** The next record, of the lane and partition whose turn it is; undefined when none may be handed out. */
  next(): Delivery | undefined {
    const gate = this.#solo.gate(this.active, ({ topic, partition }) =>
      this.#lanes.get(topic)?.head(partition),
    );
    const isReady = (lane: Holdings): boolean => lane.isReady(gate);
    return (this.#first.next(isReady) ?? this.#rest.next(isReady))?.next(gate);
  }

  committable(): LaneCommit[] {
    return [...this.#lanes].flatMap(([topic, { ledger }]) =>
      ledger.committable().map((commit) => ({ topic, ...commit })),
    );
  }

  confirm(commits: readonly LaneCommit[]): void {
    for (const [topic, each] of Map.groupBy(commits, (commit) => commit.topic)) {
      this.#lanes.get(topic)?.ledger.confirm(each);
    }
  }

  /** What is to be committed with the partition's next offset. */
  note(partition: TopicPartition): string {
    return this.#solo.note(partition);
  }

  /** Adds one more death at each of `records`, or at all in hand; what is to be committed again with its note. */
  accuse(
    fault: string,
    records: readonly KafkaRecord[] = this.#inHand.all(),
  ): Array<TopicPartition & { offset: number }> {
    this.#solo.accuse(records, { isAlone: this.active <= 1, fault });
    const accused = new Set(records.map(keyOf));
    return this.progress()
      .filter((each) => each.position >= 0 && accused.has(keyOf(each)))
      .map(({ topic, partition, position: offset }) => ({ topic, partition, offset }));
  }

  get #size(): number {
    return this.#lanes.values().reduce((sum, { size }) => sum + size, 0);
  }
}
