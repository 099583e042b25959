import type { Consumer } from 'kafkajs';
import { AppError, messageOf } from '../errors.ts';
import type { Clock } from '../clock.ts';
import { kafkaError } from '../kafka/errors.ts';
import type { Logger } from '../logger.ts';
import type { BrokerOffsetsReader } from './broker-offsets.ts';
import type { CommitLoop } from './commit-loop.ts';
import type { FetchSwitch } from './fetch-switch.ts';
import type { PartitionFence } from './kafka-options.ts';
import type { OffsetLedger } from './offset-ledger.ts';
import { slept } from './repeat.ts';

export interface MembershipParts {
  consumer: Consumer;
  topic: string;
  ledger: OffsetLedger;
  commits: CommitLoop;
  fetching: FetchSwitch;
  broker: BrokerOffsetsReader;
  /** Where offsets are committed in transactions. */
  fence?: PartitionFence | undefined;
  /** Called at each join: whoever waits with something fetched earlier shall let go of it. */
  onJoin: () => void;
  /** Called when the partitions cannot be had and trying again would not help. */
  onFailure: (error: Error) => void;
  clock: Clock;
  /** Aborts when the source closes. */
  signal: AbortSignal;
  logger?: Logger | undefined;
}

const REALIGN_RETRY_MS = 1_000;

/**
 * Follows the group: which partitions are ours, and since when. Every rebalance revokes everything (kafkajs
 * has no cooperative assignor), and reading goes on from the committed offsets.
 */
export class Membership {
  readonly #parts: MembershipParts;
  /** Those of ours whose position is to be set to the committed offset before anything is handed out. */
  readonly #unaligned = new Set<number>();
  #generation = 0;
  /** A partition was rewound, and the group has not confirmed since that it is ours. */
  #awaitsHeartbeat = false;
  #leaving = false;
  /** kafkajs has let its fetchers come to rest, so nothing that they fetched before the next join is left. */
  #fetchersAtRest = true;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    const { consumer, ledger, commits, fetching } = parts;
    const { GROUP_JOIN, REBALANCING, STOP, START_BATCH_PROCESS, HEARTBEAT } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment));
    consumer.on(HEARTBEAT, () => this.#confirmed());
    consumer.on(REBALANCING, () => {
      this.#leaving = true;
      this.#fetchersAtRest = true;
      // The group takes commits of the old generation until we have joined the new one.
      void commits.flush();
    });
    consumer.on(STOP, () => {
      this.#leaving = true;
      this.#fetchersAtRest = true;
      fetching.ended();
    });
    // A fetch of nothing but control records and aborted transactions does not reach eachBatch.
    consumer.on(START_BATCH_PROCESS, ({ payload: { batchSize, partition, lastOffset } }) => {
      if (batchSize === 0 && this.isSettled) ledger.advance(partition, Number(lastOffset) + 1);
    });
  }

  /** True from the first assignment on. */
  get assigned(): boolean {
    return this.#generation > 0;
  }

  /** False between generations, when nothing that is fetched may be handed out. */
  get isSettled(): boolean {
    return !this.#leaving && !this.#parts.fetching.has('realigning');
  }

  /** The group has called for a rebalance, or has dropped us: the next join decides what is ours. */
  leave(): void {
    this.#leaving = true;
  }

  /**
   * Revokes a partition and reads it again from the committed offset, if it is still in that epoch. Only after the
   * next heartbeat: a member that was dropped without knowing would fence off the new owner.
   */
  rewind(partition: number, epoch: number | undefined): void {
    const { ledger, fetching, logger } = this.#parts;
    if (epoch === undefined || ledger.epochOf(partition) !== epoch) return;
    logger?.warn({ partition }, 'reading a partition again from its committed offset');
    ledger.revoke([partition]);
    this.#unaligned.add(partition);
    this.#awaitsHeartbeat = true;
    fetching.pause('realigning');
  }

  /**
   * The group knows us in the generation that we have. Also when it had called for another one: kafkajs may fail
   * to join it, as while coordinators move, and then simply goes on.
   */
  #confirmed(): void {
    if (this.#leaving) {
      this.#leaving = false;
      this.#fetchersAtRest = false;
    }
    if (!this.#awaitsHeartbeat) return;
    this.#awaitsHeartbeat = false;
    void this.#learnOffsets(this.#generation);
  }

  #joined(assignment: Record<string, number[]>): void {
    const { ledger, topic, fetching, fence, onJoin, logger } = this.#parts;
    const partitions = assignment[topic] ?? [];
    ledger.revoke();
    ledger.assign(partitions);
    this.#generation += 1;
    this.#leaving = false;
    this.#awaitsHeartbeat = false;
    this.#unaligned.clear();
    if (fence || !this.#fetchersAtRest) {
      for (const partition of partitions) this.#unaligned.add(partition);
      fetching.pause('realigning');
    } else {
      fetching.resume('realigning');
    }
    this.#fetchersAtRest = false;
    fetching.started();
    onJoin();
    logger?.info({ topic, partitions }, 'partitions assigned');
    void this.#learnOffsets(this.#generation, 'release');
  }

  /**
   * Takes over what the broker knows, and sets the positions back that are not aligned. First the fence: what the
   * former owner had under way is then committed or lost, so that the offsets asked for are the last word.
   */
  async #learnOffsets(generation: number, others: 'keep' | 'release' = 'keep'): Promise<void> {
    const { fence, signal, clock, onFailure, logger } = this.#parts;
    const unaligned = [...this.#unaligned];
    let fenced = fence === undefined;
    do {
      if (signal.aborted) return;
      try {
        if (!fenced) await fence?.acquire(unaligned, others);
        fenced = true;
        await this.refresh(generation, unaligned);
        return;
      } catch (cause) {
        const error = kafkaError(cause, "asking for the group's offsets");
        logger?.warn({ error: messageOf(error) }, 'taking over partitions failed');
        if (error instanceof AppError && error.code === 'kafka_unauthorized') {
          onFailure(error);
          return;
        }
      }
    } while (
      unaligned.length > 0 &&
      generation === this.#generation &&
      (await slept(clock, REALIGN_RETRY_MS, signal))
    );
  }

  /** Asks the broker for committed and end offsets, and sets the positions of `unaligned` to the committed ones. */
  async refresh(generation = this.#generation, unaligned: readonly number[] = []): Promise<void> {
    const { broker, ledger, signal } = this.#parts;
    const known = await broker.read();
    if (generation !== this.#generation || signal.aborted) return;
    this.#align(unaligned, new Map(known.map(({ partition, start }) => [partition, start])));
    for (const { partition, committed, start, end } of known) {
      ledger.begin(partition, { committed, start });
      ledger.observeEnd(partition, end);
    }
  }

  /**
   * kafkajs may join from inside one broker's fetcher while fetches of the others are still to be handed to us.
   * It would take their offsets for positions of the new generation and skip what was in flight in the old one:
   * so we hand out none of them and seek, which also discards answers still under way.
   */
  #align(partitions: readonly number[], starts: ReadonlyMap<number, number>): void {
    const { consumer, ledger, topic, fetching } = this.#parts;
    for (const partition of partitions) {
      const start = starts.get(partition);
      if (start === undefined) {
        throw new AppError(
          'kafka_unavailable',
          `the broker tells no offsets of ${topic}/${partition}`,
        );
      }
      this.#unaligned.delete(partition);
      if (ledger.epochOf(partition) === undefined) ledger.assign([partition]); // it was rewound
      consumer.seek({ topic, partition, offset: String(start) });
    }
    if (this.#unaligned.size === 0) fetching.resume('realigning');
  }
}
