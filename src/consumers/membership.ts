import type { Consumer } from 'kafkajs';
import { messageOf } from '../errors.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { BrokerOffsetsReader } from './broker-offsets.ts';
import type { CommitLoop } from './commit-loop.ts';
import type { FetchSwitch } from './fetch-switch.ts';
import type { OffsetLedger } from './offset-ledger.ts';
import { slept } from './repeat.ts';

export interface MembershipParts {
  consumer: Consumer;
  topic: string;
  ledger: OffsetLedger;
  commits: CommitLoop;
  fetching: FetchSwitch;
  broker: BrokerOffsetsReader;
  /** Called at each join: whoever waits with something fetched earlier shall let go of it. */
  onJoin: () => void;
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
  #generation = 0;
  #leaving = false;
  /** kafkajs has let its fetchers come to rest, so nothing that they fetched before the next join is left. */
  #fetchersAtRest = true;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    const { consumer, ledger, commits, fetching } = parts;
    const { GROUP_JOIN, REBALANCING, STOP, START_BATCH_PROCESS } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment));
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

  #joined(assignment: Record<string, number[]>): void {
    const { ledger, topic, fetching, onJoin, logger } = this.#parts;
    const partitions = assignment[topic] ?? [];
    ledger.revoke();
    ledger.assign(partitions);
    this.#generation += 1;
    this.#leaving = false;
    if (this.#fetchersAtRest) fetching.resume('realigning');
    else fetching.pause('realigning');
    this.#fetchersAtRest = false;
    fetching.started();
    onJoin();
    logger?.info({ topic, partitions }, 'partitions assigned');
    void this.#learnOffsets(this.#generation);
  }

  /** Takes over what the broker knows; the first time in a generation also decides where reading goes on. */
  async #learnOffsets(generation: number): Promise<void> {
    const { fetching, signal, clock, logger } = this.#parts;
    for (;;) {
      try {
        await this.refresh(generation);
        return;
      } catch (error) {
        logger?.warn({ error: messageOf(error) }, "asking for the group's offsets failed");
      }
      const needed = fetching.has('realigning') && generation === this.#generation;
      if (!needed || !(await slept(clock, REALIGN_RETRY_MS, signal))) return;
    }
  }

  /** Asks the broker for committed and end offsets, and sets the positions back when that is due. */
  async refresh(generation = this.#generation): Promise<void> {
    const { broker, consumer, ledger, topic, fetching, signal } = this.#parts;
    const known = await broker.read();
    if (generation !== this.#generation || signal.aborted) return;
    for (const { partition, committed, start, end } of known) {
      ledger.begin(partition, { committed, start });
      ledger.observeEnd(partition, end);
    }
    if (!fetching.has('realigning')) return;
    // kafkajs may join from inside one broker's fetcher while fetches of the others are still to be handed to
    // us. It would take their offsets for positions of the new generation and skip what was in flight in the
    // old one: so we hand out none of them and seek, which also discards answers still under way.
    for (const { partition, start } of known) {
      if (ledger.epochOf(partition) !== undefined) {
        consumer.seek({ topic, partition, offset: String(start) });
      }
    }
    fetching.resume('realigning');
  }
}
