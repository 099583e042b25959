import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Intake, type PartitionIntake } from '../../src/consumers/intake.ts';
import { OrderedRecords } from '../../src/consumers/waiting-records.ts';
import type { KafkaRecord } from '../../src/kafka/record.ts';

const MIB = 1024 * 1024;

function records(partition: number, offsets: readonly number[]): KafkaRecord[] {
  const rest = { topic: 'images', timestamp: 0, key: null, value: null, headers: [] };
  return offsets.map((offset) => ({ ...rest, partition, offset }));
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** What waits of a partition that is read in order. */
function ordered({ waiting }: PartitionIntake): OrderedRecords {
  if (!(waiting instanceof OrderedRecords)) throw new Error('not in order');
  return waiting;
}

/** An intake of that many partitions, each with `count` records of a kibibyte. */
function filled(partitions: number, count: number, options = {}): Intake {
  const intake = new Intake({ maxBytes: 16 * MIB, window: 4, windowWhileParked: 0, ...options });
  for (let partition = 0; partition < partitions; partition += 1) {
    const offsets = [...Array(count).keys()];
    ordered(intake.open(partition)).push(records(partition, offsets), count * 1024);
  }
  return intake;
}

function take(intake: Intake): [number, number] | undefined {
  const next = intake.next();
  const record = next && intake.take(next)?.record;
  return record && [record.partition, record.offset];
}

describe('the intake of a partition', () => {
  it('hands records out in order and accounts for their memory, however they come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(700), fc.nat(700))), (steps) => {
        const intake = new OrderedRecords();
        let pushed = 0;
        let shifted = 0;
        for (const [more, fewer] of steps) {
          const offsets = Array.from({ length: more }, () => pushed++);
          intake.push(records(0, offsets), more * 10);
          for (let left = fewer; left > 0 && shifted < pushed; left -= 1) {
            if (
              intake.peek()?.record.offset !== shifted ||
              intake.shift()?.record.offset !== shifted
            ) {
              throw new Error(`${shifted} was not handed out in its turn`);
            }
            shifted += 1;
          }
          expect(intake.peek() === undefined).toBe(shifted === pushed);
          // Memory is let go of when all that one fetch has brought is taken.
          expect(intake.bytes).toBeGreaterThanOrEqual((pushed - shifted) * 10);
          expect(intake.bytes).toBeLessThan((pushed - shifted) * 10 + 7_000);
          if (intake.peek() === undefined) expect(intake.bytes).toBe(0);
        }
        if (intake.peek() === undefined) expect(intake.shift()).toBeUndefined();
      }),
      { numRuns: 25 },
    );
  });

  it('lets go of the records that were handed out, also while it never becomes empty', async () => {
    const intake = new OrderedRecords();
    const gone: Array<WeakRef<KafkaRecord>> = [];
    for (let offset = 0; offset < 6_000; offset += 1) {
      const [record] = records(0, [offset]) as [KafkaRecord];
      if (offset < 1_000) gone.push(new WeakRef(record));
      intake.push([record], 1);
      if (offset >= 100) intake.shift();
    }
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(gone.filter((each) => each.deref() !== undefined)).toHaveLength(0);
    expect(intake.bytes).toBe(100);
  });
});

describe('the intake', () => {
  it('lets partitions take turns while their records cost the same', () => {
    const intake = filled(3, 2);
    const taken = Array.from({ length: 6 }, () => take(intake)?.[0]);
    expect(taken.slice(0, 3).toSorted()).toEqual([0, 1, 2]);
    expect(taken.slice(3).toSorted()).toEqual([0, 1, 2]);
    expect(take(intake)).toBeUndefined();
  });

  it('gives a partition with dear records as much time as one with cheap ones, not as many records', () => {
    const intake = filled(2, 2_000, { window: Infinity });
    const spent = [0, 0];
    for (let n = 0; n < 600; n += 1) {
      const next = intake.next() as PartitionIntake;
      const chargedMs = next.costMs;
      intake.take(next);
      const costMs = next.partition === 0 ? 100 : 5;
      intake.spent(next, { flow: '', chargedMs, costMs });
      spent[next.partition] = (spent[next.partition] ?? 0) + costMs;
    }
    const [dear = 0, cheap = 0] = spent;
    expect(Math.abs(dear - cheap)).toBeLessThanOrEqual(105);
  });

  it('passes over a partition whose window is full until one of its records is resolved', () => {
    const intake = filled(2, 10, { window: 2 });
    const taken = Array.from({ length: 5 }, () => take(intake));
    expect(taken.filter((each) => each?.[0] === 0)).toEqual([
      [0, 0],
      [0, 1],
    ]);
    expect(taken[4]).toBeUndefined();
    expect(intake.head(0)).toBeUndefined();
    (intake.get(0) as PartitionIntake).outstanding -= 1;
    expect(intake.head(0)?.offset).toBe(2);
    expect(take(intake)).toEqual([0, 2]);
    expect(take(intake)).toBeUndefined();
  });

  it('passes over a partition whose records in hand are too heavy, but for one', () => {
    const intake = new Intake({
      maxBytes: 512 * MIB,
      window: 9,
      windowWhileParked: 9,
      windowBytes: 64 * MIB,
    });
    const heavy = records(0, [0, 1, 2, 3]).map((record) => ({
      ...record,
      value: Buffer.alloc(20 * MIB),
    }));
    ordered(intake.open(0)).push(heavy, 80 * MIB);
    intake.open(1);
    expect([take(intake), take(intake), take(intake)]).toEqual([[0, 0], [0, 1], undefined]); // 32 MiB each
    const [first] = heavy as [KafkaRecord];
    intake.resolved(intake.get(0) as PartitionIntake, first);
    expect([take(intake), take(intake)]).toEqual([[0, 2], undefined]);
  });

  it('uses the smaller window while a record is parked', () => {
    const intake = filled(1, 10, { window: 4, windowWhileParked: 2 });
    take(intake);
    (intake.get(0) as PartitionIntake).parked = 1;
    expect(take(intake)).toEqual([0, 1]);
    expect(take(intake)).toBeUndefined();
    (intake.get(0) as PartitionIntake).parked = 0;
    expect(take(intake)).toEqual([0, 2]);
  });

  it('hands out only what is allowed now', () => {
    const intake = filled(2, 2);
    expect(intake.next(({ partition }) => partition === 1)?.partition).toBe(1);
    expect(intake.next(() => false)).toBeUndefined();
  });

  it('has room for a share of its memory, and none while half of that is used', () => {
    const intake = new Intake({ maxBytes: 16 * MIB, window: 4, windowWhileParked: 4 });
    expect(intake.roomFor(0)).toBe(0); // not open
    const zero = ordered(intake.open(0));
    intake.open(1);
    expect(intake.roomFor(0)).toBe(8 * MIB);
    zero.push(records(0, [0]), 3 * MIB);
    expect(intake.roomFor(0)).toBe(5 * MIB);
    zero.push(records(0, [1]), 2 * MIB);
    expect(intake.roomFor(0)).toBe(0);
    expect(intake.roomFor(1)).toBe(8 * MIB);
    zero.shift();
    zero.shift();
    expect(intake.roomFor(0)).toBe(8 * MIB);
  });

  it('keeps two mebibytes for each partition, however many there are', () => {
    const intake = new Intake({ maxBytes: 16 * MIB, window: 4, windowWhileParked: 4 });
    for (let partition = 0; partition < 100; partition += 1) intake.open(partition);
    expect(intake.roomFor(42)).toBe(2 * MIB);
  });

  it('begins anew with an empty buffer when a partition is opened again', () => {
    const intake = filled(1, 3);
    take(intake);
    intake.open(0);
    expect(take(intake)).toBeUndefined();
    expect(intake.hasRecords).toBe(false);
    intake.close(0);
    expect(intake.get(0)).toBeUndefined();
  });
});
