import { describe, expect, it } from '@jest/globals';
import type { PartitionStatus, SourceStatus } from '../../src/consumers/event-source.ts';
import type { Absence } from '../../src/observability/absences.ts';
import { Stalls } from '../../src/observability/stalls.ts';

const AFTER_MS = 30_000;

const aPartition = (over: Partial<PartitionStatus> = {}): PartitionStatus => ({
  topic: 'images',
  partition: 3,
  committed: 10,
  position: 12,
  lag: 5,
  end: 17,
  lastStable: 17,
  ...over,
});
const aStatus = (over: Partial<SourceStatus> = {}): SourceStatus => ({
  alive: true,
  assigned: true,
  paused: false,
  partitions: [aPartition()],
  ...over,
});

function watch() {
  const stalls = new Stalls({
    afterMs: AFTER_MS,
    groupId: 'judges',
    bootstrapServers: 'kafka:9092',
  });
  return {
    look: (status: SourceStatus, atMs: number, absent: Absence[] = []) =>
      stalls.look(status, absent, atMs),
  };
}

/** What is found of a status that has lasted. */
function found(status: SourceStatus, absent: Absence[] = []) {
  const { look } = watch();
  expect(look(status, 0, absent)).toEqual([]);
  expect(look(status, AFTER_MS - 1, absent)).toEqual([]);
  return look(status, AFTER_MS, absent);
}

describe('what has stood still for half a minute', () => {
  it('is a group that gives the instance nothing', () => {
    expect(found(aStatus({ assigned: false, partitions: [] }))).toEqual([
      {
        kind: 'unassigned',
        where: '',
        message:
          'the group judges has given this instance no partitions for 30 s; look at its members: ' +
          'kafka-consumer-groups.sh --bootstrap-server kafka:9092 --describe --group judges --members',
      },
    ]);
  });

  it('is a group with more members than partitions, which is said as such', () => {
    const [stall] = found(aStatus({ partitions: [] }));
    expect(stall?.kind).toBe('unassigned');
    expect(stall?.message).toContain('has more members than partitions; add partitions');
  });

  it('is a partition whose records wait, with the dependency and how many wait for it', () => {
    const status = aStatus({ partitions: [aPartition({ parked: 4 })] });
    const [stall] = found(status, [{ dependency: 'https://cdn.example', waiting: 4, ms: 5_000 }]);
    expect(stall).toEqual({
      kind: 'parked',
      where: 'images/3',
      message:
        'images/3 stands at offset 12 for 30 s: 4 records wait for https://cdn.example (4 waiting); ' +
        'bring it back, or lower pipeline.outageTimeoutMs',
    });
  });

  it('names the twenty dependencies that most records wait for, and the number of the others', () => {
    const absent: Absence[] = Array.from({ length: 30 }, (_, n) => {
      return { dependency: `https://${n}.example`, waiting: n, ms: 5_000 };
    });
    const [stall] = found(aStatus({ partitions: [aPartition({ parked: 4 })] }), absent);
    expect(stall?.message).toContain('https://29.example (29 waiting)');
    expect(stall?.message).toContain('https://10.example (10 waiting), and 10 more; bring it back');
    expect(stall?.message).not.toContain('https://9.example');
  });

  it('is a partition behind an open transaction, with the commands that find and end it', () => {
    const [stall] = found(aStatus({ partitions: [aPartition({ lastStable: 12, end: 17 })] }));
    expect(stall).toEqual({
      kind: 'open-transaction',
      where: 'images/3',
      message:
        'images/3 stands at offset 12 for 30 s: an open transaction of a producer hides 5 records behind it. ' +
        'Find its producer: kafka-transactions.sh --bootstrap-server kafka:9092 describe-producers --topic images --partition 3; ' +
        'end it: kafka-transactions.sh --bootstrap-server kafka:9092 abort --topic images --partition 3 --start-offset 12',
    });
  });

  it('names the producer of the transaction, where it is known', () => {
    const partition = aPartition({ lastStable: 12, end: 17, openProducer: '4711' });
    const [stall] = found(aStatus({ partitions: [partition] }));
    expect(stall?.message).toContain('an open transaction of producer 4711 hides 5 records');
  });

  it('is a partition with records that does not move for any other reason', () => {
    const [stall] = found(aStatus());
    expect(stall?.kind).toBe('not-moving');
    expect(stall?.message).toContain('images/3 stands at offset 12 for 30 s with 5 records to go');
    expect(stall?.message).toContain('moderato record show images/3/12');
  });
});

describe('what does not stand still', () => {
  it.each([
    ['a partition without records', { lag: 0 }],
    ['a partition of which nothing is known yet', { lag: null }],
  ])('%s', (_, over) => {
    expect(found(aStatus({ partitions: [aPartition(over)] }))).toEqual([]);
  });

  it('is a partition that has moved by one record since', () => {
    const { look } = watch();
    look(aStatus(), 0);
    const moved = aStatus({ partitions: [aPartition({ position: 13 })] });
    expect(look(moved, AFTER_MS)).toEqual([]);
    expect(look(moved, 2 * AFTER_MS - 1)).toEqual([]);
    expect(look(moved, 2 * AFTER_MS)).toHaveLength(1);
  });

  it('is one that was away meanwhile: it begins again', () => {
    const { look } = watch();
    look(aStatus(), 0);
    look(aStatus({ partitions: [aPartition({ partition: 4 })] }), AFTER_MS / 2);
    expect(look(aStatus(), AFTER_MS)).toEqual([]);
  });

  it('is a group that gave partitions meanwhile', () => {
    const { look } = watch();
    const without = aStatus({ assigned: false, partitions: [] });
    look(without, 0);
    look(aStatus(), AFTER_MS / 2);
    expect(look(without, AFTER_MS)).toEqual([]);
  });
});
