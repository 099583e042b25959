import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delivery } from '../../src/consumers/event-source.ts';
import { Lanes } from '../../src/consumers/lanes.ts';
import { formatNote } from '../../src/consumers/suspects.ts';
import { lanesOf, type LaneSettings } from '../../src/lane.ts';
import { aRecord } from '../support/builders.ts';

const MIB = 1024 * 1024;
/** What a record is taken to cost before any was measured, in ms. */
const FIRST_COST_MS = 10;
/** Records that wait in a lane that is always ready. */
const PLENTY = 1_000;

/** Lanes with so many partitions each, all assigned and empty. */
function openLanes(
  settings: readonly LaneSettings[],
  partitions: number,
  window = Infinity,
): Lanes {
  const ignore = (): void => undefined;
  const lanes = new Lanes({
    lanes: lanesOf(settings),
    maxBytes: 48 * MIB,
    window,
    windowWhileParked: window,
    onChange: ignore,
    onRoom: ignore,
    onRewind: ignore,
  });
  for (const { topic } of settings) {
    for (let partition = 0; partition < partitions; partition += 1) {
      lanes.open({ topic, partition });
      lanes.begin({ topic, partition }, { committed: 0, start: 0, metadata: '' });
    }
  }
  return lanes;
}

/** Publishes records to partitions, each behind the last. */
class Publisher {
  readonly #lanes: Lanes;
  readonly ends = new Map<string, number>();

  constructor(lanes: Lanes) {
    this.#lanes = lanes;
  }

  publish(topic: string, partition: number, count: number): void {
    const key = `${topic}/${partition}`;
    const from = this.ends.get(key) ?? 0;
    const offsets = Array.from({ length: count }, (_, index) => from + index);
    const records = offsets.map((offset) => aRecord({ topic, partition, offset }));
    this.ends.set(key, from + count);
    this.#lanes.fetched({ topic, partition, records, bytes: count * 100, next: from + count });
  }
}

/** Hands out `count` records; what each lane's records cost, with at most `inFlight` of them not yet finished. */
function spend(
  lanes: Lanes,
  {
    count,
    inFlight,
    costOf,
  }: { count: number; inFlight: number; costOf: (topic: string) => number },
): Map<string, number> {
  const spent = new Map<string, number>();
  const working: Array<[Delivery, number]> = [];
  const finish = (): void => {
    const [delivery, cost] = working.shift() as [Delivery, number];
    delivery.spent(cost);
    delivery.resolve();
  };
  for (let n = 0; n < count; n += 1) {
    const delivery = lanes.next() as Delivery;
    const { topic } = delivery.record;
    const cost = costOf(topic);
    spent.set(topic, (spent.get(topic) ?? 0) + cost);
    working.push([delivery, cost]);
    if (working.length > inFlight) finish();
  }
  while (working.length > 0) finish();
  return spent;
}

const weights = fc.double({ min: 0.001, max: 1_000, noNaN: true });
const costs = fc.array(fc.double({ min: 0, max: 500, noNaN: true }), {
  minLength: 1,
  maxLength: 20,
});

/** Each of `values` in turn, for ever. */
function cycle(values: readonly number[]): () => number {
  let n = 0;
  return () => values[n++ % values.length] ?? 0;
}

describe('lanes', () => {
  it('share by weight and cost while both have records, whatever arrives in which order', () => {
    fc.assert(
      fc.property(
        fc.tuple(weights, weights),
        fc.tuple(costs, costs),
        fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat(2)), { maxLength: 30 }),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(5),
        ([weightA, weightB], [costsA, costsB], arrivals, count, inFlight) => {
          const lanes = openLanes(
            [
              { topic: 'a', weight: weightA },
              { topic: 'b', weight: weightB },
            ],
            3,
          );
          const publisher = new Publisher(lanes);
          for (const [topic, partition] of arrivals) publisher.publish(topic, partition, 5);
          for (const topic of ['a', 'b']) publisher.publish(topic, 0, PLENTY);
          const costsOf = new Map([
            ['a', cycle(costsA)],
            ['b', cycle(costsB)],
          ]);
          const costOf = (topic: string): number => costsOf.get(topic)?.() ?? 0;
          const spent = spend(lanes, { count, inFlight, costOf });
          const a = (spent.get('a') ?? 0) / weightA;
          const b = (spent.get('b') ?? 0) / weightB;
          const largestA = Math.max(FIRST_COST_MS, ...costsA) / weightA;
          const largestB = Math.max(FIRST_COST_MS, ...costsB) / weightB;
          // The sums are of floating-point numbers.
          const bound = (inFlight + 1) * (largestA + largestB) * (1 + 1e-9);
          expect(Math.abs(a - b)).toBeLessThanOrEqual(bound);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('give a lane with eight times the weight eight times as much', () => {
    const lanes = openLanes([{ topic: 'uploads', weight: 8 }, { topic: 'rescan' }], 2);
    const publisher = new Publisher(lanes);
    for (const topic of ['uploads', 'rescan']) publisher.publish(topic, 1, PLENTY);
    const spent = spend(lanes, { count: 900, inFlight: 0, costOf: () => 20 });
    expect(spent.get('uploads')).toBeGreaterThanOrEqual(20 * 798);
    expect(spent.get('uploads')).toBeLessThanOrEqual(20 * 802);
  });

  it('save nothing up for a lane that had no records', () => {
    const lanes = openLanes([{ topic: 'uploads' }, { topic: 'rescan' }], 1);
    const publisher = new Publisher(lanes);
    publisher.publish('rescan', 0, PLENTY);
    spend(lanes, { count: 500, inFlight: 0, costOf: () => 20 });
    publisher.publish('uploads', 0, PLENTY);
    const spent = spend(lanes, { count: 100, inFlight: 0, costOf: () => 20 });
    expect(Math.abs((spent.get('uploads') ?? 0) - (spent.get('rescan') ?? 0))).toBeLessThanOrEqual(
      40,
    );
  });

  it('give everything to a lane that is alone in having records', () => {
    fc.assert(
      fc.property(weights, weights, fc.boolean(), (mine, others, priority) => {
        const settings = [
          { topic: 'others', weight: others, priority },
          { topic: 'mine', weight: mine },
        ];
        const lanes = openLanes(settings, 2);
        new Publisher(lanes).publish('mine', 1, 50);
        const spent = spend(lanes, { count: 50, inFlight: 3, costOf: () => 30 });
        expect([...spent]).toEqual([['mine', 1_500]]);
        expect(lanes.next()).toBeUndefined();
      }),
    );
  });

  it('never pass over a lane with priority, and keep the order of each partition', () => {
    const topics = ['live', 'appeals', 'rescan', 'urgent'];
    const first = new Set(['appeals', 'urgent']);
    const settings = topics.map((topic) => ({ topic, priority: first.has(topic) }));
    const window = 3;
    const steps = fc.oneof(
      fc.record({ publish: fc.constantFrom(...topics), partition: fc.nat(1), count: fc.nat(4) }),
      fc.record({ take: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ resolve: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 80 }), (done) => {
        const lanes = openLanes(settings, 2, window);
        const publisher = new Publisher(lanes);
        const handedOut = new Map<string, number>();
        const working: Delivery[] = [];
        const mayTake = (topic: string, partition: number): boolean => {
          const key = `${topic}/${partition}`;
          const mine = working.filter(
            ({ record }) => `${record.topic}/${record.partition}` === key,
          );
          const waits = (handedOut.get(key) ?? 0) < (publisher.ends.get(key) ?? 0);
          return waits && mine.length < window;
        };
        const ready = (topic: string): boolean => mayTake(topic, 0) || mayTake(topic, 1);
        for (const step of done) {
          if ('publish' in step) publisher.publish(step.publish, step.partition, step.count);
          if ('resolve' in step) working.splice(step.resolve, 1)[0]?.resolve();
          for (let n = 0; 'take' in step && n < step.take; n += 1) {
            const expected = topics.filter(ready);
            const delivery = lanes.next();
            if (!delivery) {
              expect(expected).toEqual([]);
              break;
            }
            const { topic, partition, offset } = delivery.record;
            if (expected.some((each) => first.has(each))) expect(first).toContain(topic);
            expect(offset).toBe(handedOut.get(`${topic}/${partition}`) ?? 0);
            handedOut.set(`${topic}/${partition}`, offset + 1);
            working.push(delivery);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('run a suspect alone over all of them, also where a lane with priority has records', () => {
    const lanes = openLanes([{ topic: 'uploads' }, { topic: 'appeals', priority: true }], 1);
    const publisher = new Publisher(lanes);
    publisher.publish('appeals', 0, 1);
    const before = lanes.next();
    const metadata = formatNote({ suspects: [{ offset: 0, deaths: 2, alone: 0 }], fault: 'boom' });
    const place = { topic: 'uploads', partition: 0 };
    lanes.begin(place, { committed: 0, start: 0, metadata });
    publisher.publish('uploads', 0, 2);
    publisher.publish('appeals', 0, 1);
    expect(lanes.next()).toBeUndefined(); // the appeal is at work
    before?.resolve();
    const alone = lanes.next();
    expect(alone?.record).toMatchObject({ topic: 'uploads', offset: 0 });
    expect(alone?.suspicion).toEqual({ deaths: 2, alone: 0, fault: 'boom' });
    expect(lanes.next()).toBeUndefined();
    alone?.resolve();
    expect(lanes.next()?.record.topic).toBe('appeals');
    expect(lanes.note(place)).toBe('');
  });

  it('commit partitions of the same number by their topics', () => {
    const lanes = openLanes([{ topic: 'uploads' }, { topic: 'rescan' }], 1);
    const publisher = new Publisher(lanes);
    publisher.publish('uploads', 0, 2);
    publisher.publish('rescan', 0, 2);
    const taken = [lanes.next(), lanes.next(), lanes.next()];
    for (const delivery of taken) delivery?.resolve();
    const offsets = lanes
      .committable()
      .map(({ topic, partition, offset }) => [topic, partition, offset]);
    expect(offsets).toEqual([
      ['uploads', 0, 2],
      ['rescan', 0, 1],
    ]);
    lanes.confirm(lanes.committable());
    expect(lanes.committable()).toEqual([]);
    expect(lanes.progress().map(({ topic, committed }) => [topic, committed])).toEqual([
      ['uploads', 2],
      ['rescan', 1],
    ]);
  });

  it('give up one partition and keep that of the same number in another lane', () => {
    const lanes = openLanes([{ topic: 'uploads' }, { topic: 'rescan' }], 1);
    const publisher = new Publisher(lanes);
    publisher.publish('uploads', 0, 1);
    publisher.publish('rescan', 0, 1);
    const [mine, lost] = [lanes.next(), lanes.next()];
    lanes.close({ topic: 'rescan', partition: 0 });
    expect([mine?.revoked.aborted, lost?.revoked.aborted]).toEqual([false, true]);
    expect(lanes.active).toBe(1);
    expect(lanes.accuse('boom')).toEqual([{ topic: 'uploads', partition: 0, offset: 0 }]);
  });

  it('share the memory of records that wait over the partitions of all of them', () => {
    const lanes = openLanes([{ topic: 'uploads' }, { topic: 'rescan' }], 3);
    expect(lanes.roomFor({ topic: 'uploads', partition: 0 })).toBe(8 * MIB);
    lanes.close({ topic: 'rescan', partition: 1 });
    lanes.close({ topic: 'rescan', partition: 2 });
    expect(lanes.roomFor({ topic: 'uploads', partition: 0 })).toBe(12 * MIB);
  });

  it('take nothing of a topic that is no lane', () => {
    const lanes = openLanes([{ topic: 'uploads' }], 1);
    const stranger = { topic: 'constructor', partition: 0 };
    lanes.open(stranger);
    expect(lanes.roomFor(stranger)).toBe(0);
    new Publisher(lanes).publish('constructor', 0, 1);
    expect(lanes.next()).toBeUndefined();
  });
});
