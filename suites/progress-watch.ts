import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { systemClock } from '../src/clock.ts';
import { within } from '../src/kafka/within.ts';

export interface Standing {
  partition: number;
  committed: number;
  end: number;
}

const EVERY_MS = 250;
const LOOK_TIMEOUT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 5_000;

/** Whether every partition that had something to do has done some of it since. */
export function hasMovedOn(before: readonly Standing[], now: readonly Standing[]): boolean {
  const committedNow = new Map(now.map(({ partition, committed }) => [partition, committed]));
  return before
    .filter(({ committed, end }) => committed < end)
    .every(({ partition, committed }) => (committedNow.get(partition) ?? 0) > committed);
}

/** Looks again and again at what the group has committed, also while brokers come and go. */
export class ProgressWatch {
  readonly #kafka: Kafka;
  #admin: Admin | undefined;
  readonly #group: { groupId: string; topic: string };
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;
  #standings: Standing[] = [];

  constructor(kafka: Kafka, group: { groupId: string; topic: string }) {
    this.#kafka = kafka;
    this.#group = group;
    this.#loop = this.#watch();
  }

  /** As seen last. */
  get standings(): readonly Standing[] {
    return this.#standings;
  }

  get lag(): number {
    return this.#standings.reduce((sum, { committed, end }) => sum + end - committed, 0);
  }

  /** Milliseconds until every partition that has something to do now has done some of it; Infinity: not in time. */
  async recovery(timeoutMs: number): Promise<number> {
    const startedAt = performance.now();
    const before = this.#standings;
    while (!hasMovedOn(before, this.#standings)) {
      if (this.#stopping.signal.aborted || performance.now() - startedAt > timeoutMs) {
        return Infinity;
      }
      await sleep(EVERY_MS / 2);
    }
    return performance.now() - startedAt;
  }

  /** Whether the lag came down to `lag` in time. */
  async untilLag(lag: number, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    await sleep(EVERY_MS * 2); // what was published a moment ago shall be seen
    while (this.lag > lag || this.#standings.length === 0) {
      if (performance.now() > deadline) return false;
      await sleep(EVERY_MS);
    }
    return true;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#admin?.disconnect().catch(() => undefined);
  }

  /** Looks now; where a broker is away, what was seen last stands. */
  async look(): Promise<void> {
    await Promise.race([this.#look().catch(() => undefined), sleep(LOOK_TIMEOUT_MS)]);
  }

  async #watch(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#look().catch(() => undefined);
      await sleep(EVERY_MS);
    }
  }

  /** With another client after a failure: kafkajs may never find its way back to a coordinator that has moved. */
  async #look(): Promise<void> {
    const admin = (this.#admin ??= this.#kafka.admin({ retry: { retries: 1 } }));
    try {
      const doing = 'looking at the offsets';
      await within(this.#ask(admin), { clock: systemClock, ms: ANSWER_TIMEOUT_MS, doing });
    } catch (error) {
      if (this.#admin === admin) this.#admin = undefined;
      admin.disconnect().catch(() => undefined);
      throw error;
    }
  }

  async #ask(admin: Admin): Promise<void> {
    const { groupId, topic } = this.#group;
    await admin.connect();
    const [ends, [group]] = await Promise.all([
      admin.fetchTopicOffsets(topic),
      admin.fetchOffsets({ groupId, topics: [topic] }),
    ]);
    const committed = new Map(group?.partitions.map((p) => [p.partition, Number(p.offset)]));
    this.#standings = ends.map(({ partition, high }) => ({
      partition,
      committed: Math.max(committed.get(partition) ?? 0, 0),
      end: Number(high),
    }));
  }
}
