import { beforeEach, describe, expect, it } from '@jest/globals';
import { readRanges } from '../../src/kafka/read-range.ts';
import { settle } from '../support/fake-clock.ts';
import { FakeKafka, protocolError } from '../support/fake-kafka.ts';

let broker: FakeKafka;
let seen: number[];
beforeEach(() => {
  broker = new FakeKafka();
  seen = [];
});

/** Reading offsets 10 to 19 of partition 0; has joined its group, which has a partition 1 too. */
async function reading(stallTimeoutMs = 60_000): Promise<{ done: Promise<void> }> {
  const done = readRanges({
    kafka: broker.kafka,
    ranges: [{ topic: 'images', partition: 0, from: 10, to: 20 }],
    onRecord: ({ offset }) => void seen.push(offset),
    stallTimeoutMs,
  });
  await settle();
  broker.current.join('images', [0, 1]);
  return { done };
}

const batchEnds = (lastOffset: number): void =>
  broker.current.emit('END_BATCH_PROCESS', {
    topic: 'images',
    partition: 0,
    lastOffset: String(lastOffset),
  });

describe('reading a range', () => {
  it('begins at its first offset, pauses what nobody asked for, and ends with its last record', async () => {
    const { done } = await reading();
    expect(broker.current.log).toEqual(['seek 0/10', 'pause 1']);
    await broker.current.fetch(0, [8, 9, 10, 15, 19, 20]);
    await done;
    expect(seen).toEqual([10, 15, 19]);
  });

  it('ends when nothing but a marker is left, which no batch shows', async () => {
    const { done } = await reading();
    await broker.current.fetch(0, [10, 18]);
    batchEnds(18);
    batchEnds(19);
    await done;
    expect(seen).toEqual([10, 18]);
  });

  it('goes on where it was after a rebalance, and hands nothing over twice', async () => {
    const { done } = await reading();
    await broker.current.fetch(0, [10, 11, 12]);
    broker.current.join('images', [0]);
    expect(broker.current.log).toEqual(['seek 0/10', 'pause 1', 'seek 0/13']);
    await broker.current.fetch(0, [11, 12, 13, 19]);
    await done;
    expect(seen).toEqual([10, 11, 12, 13, 19]);
  });

  it('fails with a crash that kafkajs does not start again after', async () => {
    const { done } = await reading();
    const error = protocolError('TOPIC_AUTHORIZATION_FAILED');
    broker.current.emit('CRASH', { error, restart: false });
    await expect(done).rejects.toMatchObject({ code: 'kafka_unauthorized' });
    expect(broker.current.log.at(-1)).toBe('disconnect');
  });

  it('fails with the crash, when nothing came after it', async () => {
    const { done } = await reading(50);
    const error = protocolError('NOT_LEADER_FOR_PARTITION');
    broker.current.emit('CRASH', { error, restart: true });
    await expect(done).rejects.toMatchObject({ code: 'kafka_unavailable' });
  });

  it('says how far it came when nothing comes any more', async () => {
    const { done } = await reading(50);
    await broker.current.fetch(0, [10, 11]);
    batchEnds(11);
    await expect(done).rejects.toMatchObject({
      code: 'range_unreadable',
      message: expect.stringContaining('images/0 at 12 of 20') as unknown,
    });
  });
});
