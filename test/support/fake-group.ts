/**
 * A member of a group as far as the event source sees it, driven by hand: a real broker decides nothing about timing
 * that a test could rely on.
 */
import type { Kafka } from 'kafkajs';
import type { Clock } from '../../src/clock.ts';
import type { PartitionStatus } from '../../src/consumers/event-source.ts';
import { createKafkaEventSource } from '../../src/consumers/kafka-event-source.ts';
import type {
  GroupMember,
  KafkaEventSourceOptions,
  NotingEventSource,
} from '../../src/consumers/kafka-options.ts';
import type {
  AssignmentChange,
  GroupConsumerOptions,
  OffsetCommit,
} from '../../src/kafka/group/group-consumer.ts';
import { lanesOf } from '../../src/lane.ts';
import { Reading } from '../../src/kafka/group/reading.ts';
import { settle } from './fake-clock.ts';
import { Puller } from './puller.ts';

const TOPIC = 'images';

export interface ReadyOptions {
  /** @default 0 */
  committed?: number;
  metadata?: string;
}

export class FakeMember implements GroupMember {
  readonly options: GroupConsumerOptions;
  /** What was done with the member, in order. */
  readonly log: string[] = [];
  /** Commits that were accepted, as `partition@offset`. */
  readonly commits: string[] = [];
  /** Their metadata, by partition. */
  readonly notes = new Map<number, string>();
  /** Answers a commit. */
  answer: (commits: readonly OffsetCommit[]) => Promise<void> = () => Promise.resolve();
  #readings = new Map<number, Reading>();
  #generation = 0;

  constructor(options: GroupConsumerOptions) {
    this.options = options;
  }

  run(): Promise<void> {
    this.log.push('run');
    return new Promise(() => undefined);
  }

  async commit(commits: readonly OffsetCommit[]): Promise<void> {
    await this.answer(commits);
    for (const { partition, offset, metadata } of commits) {
      this.commits.push(`${partition}@${offset}`);
      this.notes.set(partition, metadata ?? '');
    }
  }

  nudge(): void {
    // Fetches come by hand.
  }

  rewind({ partition }: { partition: number }): void {
    this.log.push(`rewind ${partition}`);
  }

  readings(): readonly Reading[] {
    return [...this.#readings.values()];
  }

  refreshEnds(): Promise<void> {
    this.log.push('refreshEnds');
    return Promise.resolve();
  }

  stopFetching(): void {
    this.log.push('stopFetching');
  }

  close(): Promise<void> {
    this.log.push('close');
    return Promise.resolve();
  }

  /** The next generation of the group. Partitions that are neither kept nor gained are lost. */
  assign({ kept = [], gained = [] }: { kept?: number[]; gained?: number[] }): void {
    const places = (partitions: Iterable<number>): AssignmentChange['kept'] =>
      [...partitions].map((partition) => ({ topic: TOPIC, partition }));
    const lost = [...this.#readings.keys()].filter((partition) => !kept.includes(partition));
    for (const partition of lost) this.#readings.delete(partition);
    for (const place of places(gained)) this.#readings.set(place.partition, new Reading(place));
    this.#generation += 1;
    this.options.handler.onAssigned({
      generation: this.#generation,
      kept: places(kept),
      gained: places(gained),
      lost: places(lost),
      starts: [],
    });
  }

  /** The partition can be read from now on. */
  ready(partition: number, { committed = 0, metadata = '' }: ReadyOptions = {}): void {
    const start = Math.max(committed, 0);
    this.options.handler.onReady({ topic: TOPIC, partition, committed, metadata, start });
  }

  /** What a fetch brings: records at these offsets, and markers or gaps up to `next`. */
  fetch(partition: number, offsets: readonly number[], next = (offsets.at(-1) ?? -1) + 1): void {
    this.options.handler.onFetched({
      topic: TOPIC,
      partition,
      records: offsets.map((offset) => ({
        topic: TOPIC,
        partition,
        offset,
        timestamp: 1_700_000_000_000,
        key: null,
        value: Buffer.from(String(offset)),
        headers: [],
      })),
      bytes: offsets.length * 100,
      next,
    });
    this.end(partition, next);
  }

  /** A broker says where the partition ends. */
  end(partition: number, end: number): void {
    const reading = this.#readings.get(partition);
    if (reading) reading.end = end;
  }

  /** The group calls for a rebalance. Settles when the source has let go. */
  rebalance(): Promise<void> {
    return this.options.handler.onRebalancing();
  }
}

type SourceOptions = Partial<KafkaEventSourceOptions> & { clock: Clock };

/** A source whose member is driven by hand. */
export class FakeGroup {
  readonly source: NotingEventSource;
  readonly puller: Puller;
  #member: FakeMember | undefined;

  constructor(options: SourceOptions) {
    this.source = createKafkaEventSource({
      kafka: {} as unknown as Kafka,
      lanes: lanesOf(TOPIC),
      groupId: 'g',
      createConsumer: (given) => (this.#member = new FakeMember(given)),
      ...options,
    });
    this.puller = new Puller(this.source);
  }

  get member(): FakeMember {
    if (!this.#member) throw new Error('the source has made no member');
    return this.#member;
  }

  statusOf(partition: number): PartitionStatus | undefined {
    return this.source.status().partitions.find((each) => each.partition === partition);
  }
}

/** A source that reads `partitions` from their beginning. */
export function joinedGroup(partitions: readonly number[], options: SourceOptions): FakeGroup {
  const group = new FakeGroup(options);
  group.member.assign({ gained: [...partitions] });
  for (const partition of partitions) group.member.ready(partition);
  return group;
}

/** What a promise comes to if it is settled by now; `waiting` otherwise. */
export async function byNow<T>(promise: Promise<T>): Promise<T | 'waiting'> {
  return Promise.race([promise, settle().then(() => 'waiting' as const)]);
}
