import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { messageOf } from '../src/errors.ts';
import { withAdmin } from '../src/kafka/topics.ts';

/** A record of an output topic. */
export interface Logged {
  /** ms since the epoch at which the broker appended it, which is when it acknowledged it. */
  appendedAt: number;
  value: Buffer;
}

const POLL_MS = 200;
const PATIENCE_MS = 90_000;

/**
 * Waits until the topic holds so many records, asking only for its offsets so as to disturb what is measured
 * as little as can be. A question that fails is asked again: a new topic's leader may not be known yet.
 * Throws when nothing came for long.
 */
export async function untilLogged(
  kafka: Kafka,
  topic: string,
  events: number,
  signal: AbortSignal,
  pollMs = POLL_MS,
): Promise<void> {
  await untilCounted({ kafka, count: (admin) => endOffsets(admin, topic), events, signal, pollMs });
}

/** The same for the offsets that a group has committed of its input: transactions leave markers in their outputs. */
export async function untilCommitted(
  kafka: Kafka,
  { groupId, topic }: { groupId: string; topic: string },
  events: number,
  signal: AbortSignal,
): Promise<void> {
  const committed = async (admin: Admin): Promise<number> => {
    const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return (group?.partitions ?? []).reduce((sum, p) => sum + Math.max(Number(p.offset), 0), 0);
  };
  await untilCounted({ kafka, count: committed, events, signal, pollMs: POLL_MS });
}

async function untilCounted(given: {
  kafka: Kafka;
  count: (admin: Admin) => Promise<number>;
  events: number;
  signal: AbortSignal;
  pollMs: number;
}): Promise<void> {
  const { kafka, count, events, signal, pollMs } = given;
  await withAdmin(kafka, 'watching the events', async (admin) => {
    let last = 0;
    let lastAt = performance.now();
    let failure = '';
    for (;;) {
      const there = await count(admin).catch((error: unknown) => {
        failure = `; last failure: ${messageOf(error)}`;
        return last;
      });
      if (there >= events) return;
      if (there > last) {
        last = there;
        lastAt = performance.now();
      }
      if (performance.now() - lastAt > PATIENCE_MS) {
        throw new Error(
          `${there} of ${events} verdicts, and none more for ${PATIENCE_MS / 1000} s${failure}`,
        );
      }
      await sleep(pollMs, undefined, { signal });
    }
  });
}

export async function endOffsets(admin: Admin, topic: string): Promise<number> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

/** Reads a topic that holds so many records. Throws what `see` throws. */
export async function readLog(
  kafka: Kafka,
  topic: string,
  events: number,
  see: (record: Logged) => Promise<void>,
): Promise<void> {
  const consumer = kafka.consumer({ groupId: `bench-${randomUUID()}`, maxWaitTimeInMs: 200 });
  let seen = 0;
  const all = Promise.withResolvers<undefined>();
  consumer.on(consumer.events.CRASH, ({ payload }) => all.reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message: { timestamp, value } }) => {
        await see({ appendedAt: Number(timestamp), value: value ?? Buffer.alloc(0) }).catch(
          all.reject, // not to kafkajs, which would try again
        );
        if (++seen >= events) all.resolve(undefined);
      },
    });
    await all.promise;
  } finally {
    await consumer.disconnect();
  }
}
