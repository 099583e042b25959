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

/** The most events that are sent at once, so that no request grows too large when many are due. */
const AT_ONCE = 96;

/**
 * Publishes events when they are due, whether or not those before have been acknowledged: a service that is late
 * does not make the load any smaller. What is due at once shares a request for each partition. Resolves when all are
 * acknowledged.
 */
export async function publishAt(
  publication: Publication,
  times: readonly number[],
): Promise<Published[]> {
  const startedAt = Date.now();
  const requests: Array<Promise<Published[]>> = [];
  let failure: { error: unknown } | undefined;
  for (let next = 0; next < times.length;) {
    if (failure) throw failure.error;
    const elapsed = Date.now() - startedAt;
    const end = Math.min(times.length, next + AT_ONCE);
    const partitions = new Map<number, Due[]>();
    const before = next;
    for (let at = times[next] ?? 0; next < end && at <= elapsed; at = times[++next] ?? 0) {
      const number = publication.first + next;
      const partition = number % publication.partitions;
      const due = partitions.get(partition) ?? [];
      partitions.set(partition, [...due, { number, dueAt: startedAt + at }]);
    }
    for (const [partition, due] of partitions) {
      const request = send(publication, partition, due);
      request.catch((error: unknown) => (failure = { error })); // thrown above, or in the end
      requests.push(request);
    }
    await sleep(next > before ? 0 : (times[next] ?? 0) - elapsed);
  }
  return (await Promise.all(requests)).flat();
}

interface Due {
  number: number;
  dueAt: number;
}

async function send(
  { producer, topic, make }: Publication,
  partition: number,
  due: readonly Due[],
): Promise<Published[]> {
  const made = await Promise.all(due.map(({ number }) => make(number)));
  const messages = made.map((message) => ({ ...message, partition }));
  const [answer] = await producer.send({ topic, messages });
  return due.map(({ dueAt }, index) => ({
    partition,
    offset: Number(answer?.baseOffset) + index,
    appendedAt: Number(answer?.logAppendTime),
    dueAt,
  }));
}
