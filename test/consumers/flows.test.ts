import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delivery } from '../../src/consumers/event-source.ts';
import { Lanes } from '../../src/consumers/lanes.ts';
import type { FlowOf } from '../../src/consumers/sorter.ts';
import { formatNote } from '../../src/consumers/suspects.ts';
import { lanesOf } from '../../src/lane.ts';
import { aRecord } from '../support/builders.ts';
import { settle } from '../support/fake-clock.ts';

const at = { topic: 'images', partition: 0 };
/** The key names the flow. */
const byKey: FlowOf = ({ key }) => Promise.resolve(key?.toString() ?? '');

/** One partition with records of these flows, in this order. */
async function setUp(flows: readonly string[], { window = 1_000, metadata = '' } = {}) {
  const ignore = (): void => undefined;
  const lanes = new Lanes({
    lanes: lanesOf('images'),
    maxBytes: 16 * 1024 * 1024,
    window,
    windowWhileParked: window,
    flowOf: byKey,
    onChange: ignore,
    onRoom: ignore,
    onRewind: ignore,
  });
  lanes.open(at);
  lanes.begin(at, { committed: 0, start: 0, metadata });
  const records = flows.map((flow, offset) => aRecord({ ...at, offset, key: Buffer.from(flow) }));
  // In two chunks, the second while the first is sorted.
  const half = Math.floor(records.length / 2);
  for (const part of [records.slice(0, half), records.slice(half)]) {
    const next = (part.at(-1)?.offset ?? half - 1) + 1;
    lanes.fetched({ ...at, records: part, bytes: part.length * 100, next });
  }
  for (let turn = 0; turn < 2 + records.length / 8; turn += 1) await settle();
  return lanes;
}

const take = (lanes: Lanes): Delivery | undefined => lanes.next();
const offsetOf = (delivery: Delivery | undefined) => delivery?.record.offset;
const committed = (lanes: Lanes) => lanes.committable().map(({ offset }) => offset);

describe('flows inside a partition', () => {
  it('take turns: one record behind hundreds of another flow comes second', async () => {
    const lanes = await setUp([...Array<string>(300).fill('hot'), 'light']);
    const taken = [take(lanes), take(lanes), take(lanes)].map(offsetOf);
    expect(taken).toContain(300);
  });

  it('take turns by what their records cost', async () => {
    const lanes = await setUp(Array.from({ length: 400 }, (_, n) => (n % 2 ? 'dear' : 'cheap')));
    const counts = { dear: 0, cheap: 0 };
    for (let n = 0; n < 150; n += 1) {
      const delivery = take(lanes) as Delivery;
      const flow = delivery.record.key?.toString() as 'dear' | 'cheap';
      counts[flow] += 1;
      delivery.spent(flow === 'dear' ? 100 : 10);
      delivery.resolve();
    }
    expect(counts.cheap).toBeGreaterThan(counts.dear * 4);
  });

  it('lose nothing, keep their order, and commit no more than what is resolved before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 60 }),
        fc.array(fc.nat(), { maxLength: 60 }),
        async (flows, finishing) => {
          const lanes = await setUp(flows);
          const working: Delivery[] = [];
          const unresolved = new Set(flows.keys());
          const last = new Map<string, number>();
          const finish = (choice: number): void => {
            const [delivery] = working.splice(choice % working.length, 1);
            delivery?.resolve();
            unresolved.delete(offsetOf(delivery) ?? -1);
            const first = Math.min(...unresolved, flows.length);
            expect(committed(lanes)).toEqual(first > 0 ? [first] : []);
          };
          for (let delivery = take(lanes); delivery; delivery = take(lanes)) {
            const { key, offset } = delivery.record;
            const flow = String(key);
            expect(offset).toBeGreaterThan(last.get(flow) ?? -1);
            last.set(flow, offset);
            working.push(delivery);
            const choice = finishing.shift();
            if (choice !== undefined) finish(choice);
          }
          while (working.length > 0) finish(0);
          expect(committed(lanes)).toEqual([flows.length]);
        },
      ),
    );
  });

  it('go on in the order of offsets once too many records are ahead of older ones', async () => {
    const lanes = await setUp(
      Array.from({ length: 100 }, (_, n) => (n < 50 ? 'held' : `other-${n}`)),
      { window: 5 },
    );
    const held = take(lanes); // stays in work
    expect(offsetOf(held)).toBe(0);
    for (let n = 0; n < 4; n += 1) take(lanes)?.resolve();
    const later = Array.from({ length: 6 }, () => {
      const delivery = take(lanes);
      delivery?.resolve();
      return offsetOf(delivery) ?? -1;
    });
    expect(later.slice(2)).toEqual([...later.slice(2)].sort((a, b) => a - b));
    expect(Math.max(...later.slice(2))).toBeLessThan(50);
  });

  it('wait while a partition has suspects, which come in order', async () => {
    const suspects = [2].map((offset) => ({ offset, deaths: 1, alone: 0 }));
    const metadata = formatNote({ suspects, fault: 'x' });
    const lanes = await setUp(['a', 'a', 'a', 'b'], { metadata });
    const offsets: Array<number | undefined> = [];
    for (let delivery = take(lanes); delivery; delivery = take(lanes)) {
      offsets.push(offsetOf(delivery));
      delivery.resolve();
    }
    expect(offsets).toEqual([0, 1, 2, 3]);
  });

  it('begin again when the partition is opened again while its records are sorted', async () => {
    const lanes = await setUp(['a', 'b']);
    const records = [aRecord({ ...at, offset: 2 })];
    lanes.fetched({ ...at, records, bytes: 100, next: 3 });
    lanes.open(at);
    for (let n = 0; n < 5; n += 1) await settle();
    expect(take(lanes)).toBeUndefined();
    expect(lanes.roomFor(at)).toBe(16 * 1024 * 1024);
    // Another member has come further meanwhile: nothing of before is waited for.
    lanes.fetched({ ...at, records: [aRecord({ ...at, offset: 7 })], bytes: 100, next: 8 });
    for (let n = 0; n < 5; n += 1) await settle();
    take(lanes)?.resolve();
    expect(committed(lanes)).toEqual([8]);
  });
});
