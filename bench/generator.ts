import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import type { EventMaker } from './image-events.ts';

export interface Arrivals {
  /** Events per second. */
  rate: number;
  seconds: number;
  /** poisson: independent of each other, as those of many people are; even: one as long after the other. */
  kind: 'poisson' | 'even';
}

/** When each event is due, in ms from the beginning. `random` gives numbers from 0 to below 1. */
export function arrivalTimes({ rate, seconds, kind }: Arrivals, random = Math.random): number[] {
  const meanGap = 1000 / rate;
  const times: number[] = [];
  const gap = (): number => (kind === 'even' ? meanGap : -meanGap * Math.log(1 - random()));
  for (let at = gap(); at < seconds * 1000; at += gap()) times.push(at);
  return times;
}

/** An event of which the broker has told where and when it appended it. */
export interface Published {
  partition: number;
  offset: number;
  /** ms since the epoch, by the broker's clock. */
  appendedAt: number;
  /** ms since the epoch at which it was due, by ours. */
  dueAt: number;
}

export interface Publication {
  producer: Producer;
  topic: string;
  partitions: number;
  make: EventMaker;
  /** The number of the first event. */
  first: number;
}

/**
 * Publishes events when they are due, whether or not those before have been acknowledged: a service that is late
 * does not make the load any smaller. What is due at once shares a request. Resolves when all are acknowledged.
 */
export async function publishAt(
  { producer, topic, partitions, make, first }: Publication,
  times: readonly number[],
): Promise<Published[]> {
  const startedAt = Date.now();
  const sent: Array<Promise<Published[]>> = [];
  let failure: { error: unknown } | undefined;
  for (let next = 0; next < times.length;) {
    if (failure) throw failure.error;
    const elapsed = Date.now() - startedAt;
    const due = times.slice(next).findIndex((time) => time > elapsed);
    const count = due === -1 ? times.length - next : due;
    if (count === 0) {
      await sleep((times[next] ?? 0) - elapsed);
      continue;
    }
    const request = send(next, count);
    request.catch((error: unknown) => (failure = { error })); // told above, or in the end
    sent.push(request);
    next += count;
    await sleep(0);
  }
  return (await Promise.all(sent)).flat();

  async function send(from: number, count: number): Promise<Published[]> {
    const messages = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const number = first + from + index;
        return { ...(await make(number)), partition: number % partitions };
      }),
    );
    const answers = await producer.send({ topic, messages });
    return answers.flatMap(({ partition, baseOffset, logAppendTime }) =>
      messages
        .map((message, index) => ({ ...message, dueAt: startedAt + (times[from + index] ?? 0) }))
        .filter((message) => message.partition === partition)
        .map(({ dueAt }, index) => ({
          partition,
          offset: Number(baseOffset) + index,
          appendedAt: Number(logAppendTime),
          dueAt,
        })),
    );
  }
}
