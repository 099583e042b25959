import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { partitionsOf, type Cluster } from '../cluster.ts';
import { isTransient, kafkaError } from '../errors.ts';
import { keyOf } from '../by-topic.ts';
import type { PartitionStart } from './assignment.ts';
import type { GroupHandler, OffsetCommit } from './group-handler.ts';
import type { Committed, Positions } from './positions.ts';
import type { Reading } from './reading.ts';

export interface TakeoverOptions {
  cluster: Cluster;
  topics: readonly string[];
  positions: Positions;
  commit: (commits: readonly OffsetCommit[]) => Promise<void>;
  handler: Pick<GroupHandler, 'beforeReady' | 'onReady'>;
  /** False once the partition was taken away or is read anew. */
  isCurrent: (reading: Reading) => boolean;
  /** The reading has its position. */
  onReady: (reading: Reading) => void;
  onFailure: (error: unknown) => void;
  clock: Clock;
  logger?: Logger | undefined;
  signal: AbortSignal;
}

const RETRY_MS = 1_000;

/** Finds out where partitions that were gained are read from, after their former owners are fenced off. */
export class Takeover {
  readonly #options: TakeoverOptions;
  /** Where partitions without a commit begin, as the group's leader has found. */
  #starts = new Map<string, number>();

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /** What the group's leader says of partitions without a commit. */
  told(starts: readonly PartitionStart[]): void {
    this.#starts = new Map(starts.map(({ offset, ...partition }) => [keyOf(partition), offset]));
  }

  /** Tries until it succeeds, the partitions are not ours any more, or the member is closed. */
  async prepare(readings: readonly Reading[], others: 'keep' | 'release'): Promise<void> {
    const { handler, clock, isCurrent, logger, signal, onFailure } = this.#options;
    let isFenced = handler.beforeReady === undefined;
    while (!signal.aborted) {
      const mine = readings.filter(isCurrent);
      if (mine.length === 0 && (isFenced || others === 'keep')) return;
      try {
        if (!isFenced) await handler.beforeReady?.(mine, others);
        isFenced = true;
        if (mine.length > 0) await this.#begin(mine);
        return;
      } catch (cause) {
        const error = kafkaError(cause, "asking for the group's offsets");
        if (!isTransient(error)) {
          onFailure(error);
          return;
        }
        const partitions = mine.map(keyOf);
        logger?.warn(
          { partitions, error: messageOf(error) },
          'taking over partitions failed: trying again',
        );
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  async #begin(readings: readonly Reading[]): Promise<void> {
    const { positions, isCurrent, handler, onReady } = this.#options;
    const committed = await positions.committed(readings);
    const starts = new Map(
      (await this.#startsOf(committed)).map(({ offset, ...each }) => [keyOf(each), offset]),
    );
    await this.#commitStarts(committed, starts);
    const byKey = new Map(readings.map((reading) => [keyOf(reading), reading]));
    for (const { topic, partition, offset, metadata } of committed) {
      const key = keyOf({ topic, partition });
      const reading = byKey.get(key);
      if (!reading || !isCurrent(reading)) continue;
      const start = offset >= 0 ? offset : (starts.get(key) ?? 0);
      reading.position = start;
      handler.onReady({ topic, partition, committed: start, metadata, start });
      onReady(reading);
    }
  }

  /** A leader with other software says nothing of where partitions without a commit begin. */
  async #startsOf(committed: readonly Committed[]): Promise<PartitionStart[]> {
    const { positions, cluster, topics } = this.#options;
    const without = committed.filter(({ offset }) => offset < 0);
    const told = without.flatMap(({ topic, partition }) => {
      const offset = this.#starts.get(keyOf({ topic, partition }));
      return offset === undefined ? [] : [{ topic, partition, offset }];
    });
    if (told.length === without.length) return told;
    return positions.starts(partitionsOf(cluster, topics));
  }

  /** From now on a restart does not guess where to begin, and lag is right for an idle partition. */
  async #commitStarts(
    committed: readonly Committed[],
    starts: ReadonlyMap<string, number>,
  ): Promise<void> {
    const commits = committed.flatMap(({ topic, partition, offset }) => {
      const start = starts.get(keyOf({ topic, partition }));
      return offset >= 0 || start === undefined ? [] : [{ topic, partition, offset: start }];
    });
    if (commits.length > 0) await this.#options.commit(commits);
  }
}
