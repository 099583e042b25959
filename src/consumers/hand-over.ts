import type { EachBatchPayload } from 'kafkajs';
import type { Clock } from '../clock.ts';
import type { CommitLoop } from './commit-loop.ts';
import type { Delivery } from './event-source.ts';
import type { FetchSwitch } from './fetch-switch.ts';
import { endsMembership } from './kafka-faults.ts';
import { toKafkaRecord } from './kafka-record.ts';
import type { Membership } from './membership.ts';
import type { OffsetLedger } from './offset-ledger.ts';
import type { Rendezvous } from './rendezvous.ts';
import { slept } from './repeat.ts';

export interface HandOverParts {
  ledger: OffsetLedger;
  channel: Rendezvous<Delivery>;
  commits: CommitLoop;
  membership: Membership;
  fetching: FetchSwitch;
  clock: Clock;
  startFrom: 'earliest' | 'latest';
  heartbeatIntervalMs: number;
  revokeDrainMs: number;
  /** Aborts when the source closes. */
  signal: AbortSignal;
}

type Fetch = Pick<
  EachBatchPayload,
  'batch' | 'resolveOffset' | 'heartbeat' | 'isRunning' | 'isStale'
>;

const DRAIN_STEP_MS = 25;

/**
 * Hands the records of a fetch to whoever pulls, one for each pull. kafkajs has no heartbeat of its own, so
 * they are sent from here, also while nobody pulls.
 */
export class HandOver {
  readonly #parts: HandOverParts;
  /** Twice as often as due: kafkajs sends one only when the whole interval has passed. */
  readonly #beatEveryMs: number;
  #beatAt = 0;
  #alarmSet = false;

  constructor(parts: HandOverParts) {
    this.#parts = parts;
    this.#beatEveryMs = parts.heartbeatIntervalMs / 2;
  }

  /** What kafkajs calls `eachBatch`. Returning early is safe: what was not handed out is fetched again. */
  async eachFetch({ batch, resolveOffset, heartbeat, isRunning, isStale }: Fetch): Promise<void> {
    const { ledger, channel, membership, fetching } = this.#parts;
    const { topic, partition } = batch;
    const epoch = ledger.epochOf(partition);
    const isOurs = (): boolean =>
      epoch !== undefined &&
      ledger.epochOf(partition) === epoch &&
      membership.isSettled &&
      !fetching.has('stopped') &&
      !fetching.isHeld(partition) &&
      isRunning() &&
      !isStale();

    if (!isOurs()) return;
    ledger.observeEnd(partition, Number(batch.highWatermark));
    await this.#anchor(partition, Number(batch.firstOffset()));
    await this.#beat(heartbeat);
    for (const message of batch.messages) {
      await this.#untilPulled(heartbeat, isOurs);
      if (!isOurs()) return;
      const record = toKafkaRecord(topic, partition, message);
      const resolve = ledger.handOut(partition, record.offset);
      const lentIn = ledger.epochOf(partition);
      channel.give({
        record,
        resolve,
        revoked: ledger.revoked(partition),
        hold: () => fetching.hold(partition),
        rewind: () => membership.rewind(partition, lentIn),
      });
      // kafkajs' position only: where it fetches next. Committing is the ledger's business.
      resolveOffset(message.offset);
    }
    // Control records end a transaction; they are never handed out but count as offsets.
    ledger.advance(partition, Number(batch.lastOffset()) + 1);
  }

  /**
   * Commits where a group begins that starts from the latest record. Without it, a crash before the first
   * commit would begin at a later end and skip what was in flight.
   */
  async #anchor(partition: number, firstOffset: number): Promise<void> {
    const { ledger, startFrom, commits } = this.#parts;
    if (startFrom === 'earliest' || ledger.isAnchored(partition)) return;
    await commits.anchor(partition, firstOffset);
  }

  /** Waits for a pull, with heartbeats; or until the fetch is no longer ours to hand out. */
  async #untilPulled(heartbeat: () => Promise<void>, isOurs: () => boolean): Promise<void> {
    const { channel, fetching, clock } = this.#parts;
    const since = clock.elapsed();
    if (since - this.#beatAt >= this.#beatEveryMs) await this.#beat(heartbeat);
    try {
      while (isOurs() && !channel.isWanted()) {
        this.#setAlarm();
        await channel.whenWanted();
        if (channel.isWanted() || !isOurs()) break;
        // A wait this long is not the pipeline's breathing: the other brokers' fetches can wait too.
        if (clock.elapsed() - since >= this.#beatEveryMs) fetching.pause('stalled');
        await this.#beat(heartbeat);
      }
    } finally {
      fetching.resume('stalled');
    }
  }

  /** Ends waits for a pull in time for the next heartbeat. One timer at a time, whatever the number of waits. */
  #setAlarm(): void {
    const { channel, clock, signal } = this.#parts;
    if (this.#alarmSet) return;
    this.#alarmSet = true;
    void slept(clock, this.#beatEveryMs, signal).then(() => {
      this.#alarmSet = false;
      channel.nudge();
    });
  }

  async #beat(heartbeat: () => Promise<void>): Promise<void> {
    this.#beatAt = this.#parts.clock.elapsed();
    try {
      await heartbeat();
    } catch (error) {
      if (endsMembership(error)) {
        this.#parts.membership.leave();
        await this.#drain();
      }
      throw error;
    }
  }

  /** Gives the records in flight a moment: what is committed now is not read twice by the next owner. */
  async #drain(): Promise<void> {
    const { ledger, commits, clock, revokeDrainMs } = this.#parts;
    const deadline = clock.elapsed() + revokeDrainMs;
    while (ledger.inFlight() > 0 && clock.elapsed() < deadline) await clock.sleep(DRAIN_STEP_MS);
    await Promise.race([commits.flush(), clock.sleep(revokeDrainMs)]);
  }
}
