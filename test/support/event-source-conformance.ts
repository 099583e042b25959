import { afterEach, describe, expect, it } from '@jest/globals';
import type { Header } from '../../src/events/types.generated.ts';
import type { Delivery, EventSource } from '../../src/consumers/event-source.ts';
import { numbered, offsets, Puller, until, upTo } from './puller.ts';

export interface ProducedRecord {
  partition: number;
  key?: Buffer | null;
  value: Buffer | null;
  headers?: Header[];
}

/** One topic and one group that reads it from its beginning. */
export interface SourceBench {
  produce(records: readonly ProducedRecord[]): Promise<void>;
  /** A new member of the same group; the suite closes it. */
  open(): EventSource;
  /** The group's committed offset as the broker has it; -1 when there is none. */
  committed(partition: number): Promise<number>;
}

/** What every EventSource promises. `createBench` makes a topic with that many partitions. */
export function describeEventSource(
  name: string,
  createBench: (partitions: number) => Promise<SourceBench>,
): void {
  describe(`${name} keeps the promises of an event source`, () => {
    const opened: EventSource[] = [];

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((source) => source.close()));
    });

    function open(bench: SourceBench): Puller {
      const source = bench.open();
      opened.push(source);
      return new Puller(source);
    }

    it('delivers each record of a partition once, in order', async () => {
      const bench = await createBench(3);
      await bench.produce(numbered(3, 20));
      const deliveries = await open(bench).take(60);
      for (const partition of [0, 1, 2]) {
        const mine = deliveries.filter(({ record }) => record.partition === partition);
        expect(mine.map(({ record }) => record.offset)).toEqual(upTo(20));
        expect(mine.map(({ record }) => String(record.value))).toEqual(
          upTo(20).map((n) => `${partition}/${n}`),
        );
      }
    });

    it('passes bytes through: null, empty and invalid UTF-8 keys, null values, repeated headers', async () => {
      const bench = await createBench(1);
      const invalid = Buffer.from([0xc3, 0x28, 0xff, 0x00]);
      const headers = [
        { name: 'trace', value: Buffer.from('a') },
        { name: 'trace', value: invalid },
        { name: 'other', value: Buffer.alloc(0) },
      ];
      await bench.produce([
        { partition: 0, key: invalid, value: null, headers },
        { partition: 0, key: null, value: Buffer.alloc(0) },
        { partition: 0, key: Buffer.alloc(0), value: invalid },
      ]);
      const records = (await open(bench).take(3)).map(({ record }) => record);
      expect(records[0]).toMatchObject({ key: invalid, value: null, headers, partition: 0 });
      expect(records[1]).toMatchObject({ key: null, value: Buffer.alloc(0), headers: [] });
      expect(records[2]).toMatchObject({ key: Buffer.alloc(0), value: invalid });
      expect(records[2]?.timestamp).toBeGreaterThan(1_600_000_000_000);
    });

    it('hands out nothing that was not pulled, so that what is in flight is what was taken', async () => {
      const bench = await createBench(1);
      await bench.produce(numbered(1, 10));
      const puller = open(bench);
      await resolveAll(puller.take(4));
      await puller.source.close();
      expect(await bench.committed(0)).toBe(4);
      expect(offsets(await open(bench).take(6))).toEqual([4, 5, 6, 7, 8, 9]);
    });

    it('never commits past a record that is not resolved', async () => {
      const bench = await createBench(1);
      await bench.produce(numbered(1, 5));
      const puller = open(bench);
      const [zero, one, two, three, four] = await puller.take(5);
      four?.resolve();
      one?.resolve();
      zero?.resolve();
      await until(async () => (await bench.committed(0)) === 2);
      three?.resolve();
      await puller.source.close();
      expect(await bench.committed(0)).toBe(2);
      two?.resolve();
      expect(await bench.committed(0)).toBe(2);
    });

    it('commits everything once everything is resolved, in whatever order', async () => {
      const bench = await createBench(2);
      await bench.produce(numbered(2, 25));
      const puller = open(bench);
      const deliveries = await puller.take(50);
      for (const delivery of deliveries.reverse()) delivery.resolve();
      await until(
        async () => (await bench.committed(0)) === 25 && (await bench.committed(1)) === 25,
      );
      await until(() => puller.source.status().partitions.every(({ lag }) => lag === 0));
    });

    it('delivers again after a reopening what was not resolved, and nothing else', async () => {
      const bench = await createBench(1);
      await bench.produce(numbered(1, 6));
      const first = open(bench);
      const taken = await first.take(6);
      for (const delivery of taken.slice(0, 3)) delivery.resolve();
      await first.source.close();
      expect(offsets(await open(bench).take(3))).toEqual([3, 4, 5]);
    });

    it('takes a second resolve for nothing', async () => {
      const bench = await createBench(1);
      await bench.produce(numbered(1, 3));
      const puller = open(bench);
      const [first] = await puller.take(3);
      first?.resolve();
      first?.resolve();
      first?.resolve();
      await puller.source.close();
      expect(await bench.committed(0)).toBe(1);
    });

    it('ends the deliveries at stop, and still commits what is resolved before close', async () => {
      const bench = await createBench(1);
      await bench.produce(numbered(1, 8));
      const puller = open(bench);
      const taken = await puller.take(2);
      await puller.source.stop();
      expect(await puller.next()).toBeUndefined();
      for (const delivery of taken) delivery.resolve();
      await puller.source.close();
      expect(await bench.committed(0)).toBe(2);
    });

    it('ends a pull that waits for a record at stop', async () => {
      const bench = await createBench(1);
      const puller = open(bench);
      const waiting = puller.next();
      await puller.source.stop();
      expect(await waiting).toBeUndefined();
    });

    it('has no use for a resolve that comes after close, and closes twice as well as once', async () => {
      const bench = await createBench(1);
      await bench.produce(numbered(1, 2));
      const puller = open(bench);
      const [zero, one] = await puller.take(2);
      zero?.resolve();
      await puller.source.close();
      one?.resolve();
      await puller.source.close();
      expect(await bench.committed(0)).toBe(1);
      expect(puller.source.status().alive).toBe(false);
    });

    it('passes over the partition of a parked record once its window is full, and no other', async () => {
      const bench = await createBench(2);
      await bench.produce(numbered(2, 4));
      const puller = open(bench);
      const taken: Delivery[] = [];
      let release: (() => void) | undefined;
      while (!release) {
        const delivery = await puller.next();
        if (delivery?.record.partition === 0) release = delivery.park();
        if (delivery) taken.push(delivery);
      }
      const before = taken.length;
      while (taken.filter(({ record }) => record.partition === 1).length < 4) {
        taken.push(...(await puller.take(1)));
      }
      expect(taken.slice(before).every(({ record }) => record.partition === 1)).toBe(true);
      const waiting = puller.next();
      expect(await Promise.race([waiting, settled()])).toBe('nothing');
      release();
      release();
      const rest = [await waiting, ...(await puller.take(2))].map((d) => d?.record);
      expect(rest.map((record) => [record?.partition, record?.offset])).toEqual([
        [0, 1],
        [0, 2],
        [0, 3],
      ]);
    });

    it('revokes what is in flight of a rewound partition and delivers it again', async () => {
      const bench = await createBench(2);
      await bench.produce(numbered(2, 5));
      const puller = open(bench);
      const taken = await puller.take(10);
      const mine = taken.filter(({ record }) => record.partition === 0);
      const others = taken.filter(({ record }) => record.partition === 1);
      for (const delivery of mine.slice(0, 2)) delivery.resolve();
      await until(async () => (await bench.committed(0)) === 2);
      expect(mine.every(({ revoked }) => !revoked.aborted)).toBe(true);
      mine[3]?.rewind();
      expect(mine.every(({ revoked }) => revoked.aborted)).toBe(true);
      expect(others.every(({ revoked }) => !revoked.aborted)).toBe(true);
      for (const delivery of mine) delivery.resolve(); // too late
      const again = await puller.take(3);
      expect(again.map(({ record }) => [record.partition, record.offset])).toEqual([
        [0, 2],
        [0, 3],
        [0, 4],
      ]);
      mine[3]?.rewind(); // of an epoch that is over
      expect(again.every(({ revoked }) => !revoked.aborted)).toBe(true);
      expect(await bench.committed(0)).toBe(2);
      for (const delivery of [...again, ...others]) delivery.resolve();
      await until(async () => (await bench.committed(0)) === 5 && (await bench.committed(1)) === 5);
    });

    it('revokes what is in flight when it closes', async () => {
      const bench = await createBench(1);
      await bench.produce(numbered(1, 2));
      const puller = open(bench);
      const taken = await puller.take(2);
      await puller.source.close();
      expect(taken.every(({ revoked }) => revoked.aborted)).toBe(true);
    });

    it('tells where it stands', async () => {
      const bench = await createBench(1);
      await bench.produce(numbered(1, 4));
      const puller = open(bench);
      const taken = await puller.take(4);
      taken[0]?.resolve();
      await until(() => puller.source.status().partitions[0]?.committed === 1);
      expect(puller.source.status()).toMatchObject({
        alive: true,
        assigned: true,
        partitions: [{ partition: 0, committed: 1, lag: 3 }],
      });
    });
  });
}

/** Long enough for something to come that should not. */
async function settled(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return 'nothing';
}

async function resolveAll(deliveries: Promise<Delivery[]>): Promise<void> {
  for (const delivery of await deliveries) delivery.resolve();
}
