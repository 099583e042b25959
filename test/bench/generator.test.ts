import { describe, expect, it } from '@jest/globals';
import type { Message, Producer, ProducerRecord, RecordMetadata } from 'kafkajs';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { arrivalTimes, publishAt } from '../../bench/generator.ts';
import { percentilesOf } from '../../bench/statistics.ts';

describe('arrivalTimes', () => {
  it('comes evenly when asked to', () => {
    expect(arrivalTimes({ rate: 4, seconds: 1, kind: 'even' })).toEqual([250, 500, 750]);
  });

  it('comes independently otherwise, at the same rate', () => {
    const generator = xoroshiro128plus(7);
    const random = (): number => (generator.next() >>> 0) / 2 ** 32;
    const times = arrivalTimes({ rate: 100, seconds: 100, kind: 'poisson' }, random);
    expect(times.length).toBeGreaterThan(9_700); // 10,000 ± 3 standard deviations of 100
    expect(times.length).toBeLessThan(10_300);
    // Gaps of a Poisson process are exponential: half of them are shorter than ln 2 of the mean.
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(percentilesOf(gaps).p50).toBeCloseTo(10 * Math.LN2, 0);
  });
});

describe('publishAt', () => {
  const make = (event: number) => Promise.resolve({ key: `${event}`, value: Buffer.from('image') });

  /** Appends what it is sent; answers only when all is there, as a broker does that is late. */
  function lateBroker(events: number) {
    const sent: Array<{ topic: string; messages: Message[] }> = [];
    const ends = new Map<number, number>();
    const all = Promise.withResolvers<undefined>();
    const send = async ({ topic, messages }: ProducerRecord): Promise<RecordMetadata[]> => {
      sent.push({ topic, messages });
      const partition = messages[0]?.partition ?? -1;
      const base = ends.get(partition) ?? 0;
      ends.set(partition, base + messages.length);
      const there = sent.reduce((sum, request) => sum + request.messages.length, 0);
      if (there === events) all.resolve(undefined);
      await all.promise;
      const appended = { baseOffset: `${base}`, logAppendTime: '1700000000000' };
      return [{ topicName: topic, partition, errorCode: 0, ...appended }];
    };
    return { sent, producer: { send } as unknown as Producer };
  }

  it('does not wait for acknowledgements, and knows where each event went', async () => {
    const { sent, producer } = lateBroker(6);
    const publication = { producer, topic: 'events', partitions: 2, make, first: 10 };
    const published = await publishAt(publication, [0, 0, 0, 20, 20, 40]);
    const places = published.map(({ partition, offset }) => `${partition}/${offset}`);
    expect(places.sort()).toEqual(['0/0', '0/1', '0/2', '1/0', '1/1', '1/2']);
    for (const { messages } of sent) {
      expect(new Set(messages.map(({ partition }) => partition)).size).toBe(1);
    }
  });

  it('stops at a request that fails', async () => {
    const producer = { send: () => Promise.reject(new Error('no leader')) } as unknown as Producer;
    const publication = { producer, topic: 'events', partitions: 2, make, first: 0 };
    await expect(publishAt(publication, [0, 0, 60_000])).rejects.toThrow('no leader');
  });
});
