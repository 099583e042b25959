import { describe, expect, it } from '@jest/globals';
import { RangePositions } from '../../src/kafka/range-positions.ts';
import { readRanges } from '../../src/kafka/read-range.ts';
import { FakeBrokers } from '../support/fake-brokers.ts';

const range = (partition: number, from: number, to: number) => ({
  topic: 'images',
  partition,
  from,
  to,
});

describe('positions within ranges', () => {
  it('are done when every range is read to its end', () => {
    const positions = new RangePositions([range(0, 5, 8), range(1, 0, 1)]);
    positions.advance('images', 0, 7);
    positions.advance('images', 1, 1);
    expect(positions.open()).toEqual([{ ...range(0, 5, 8), next: 7 }]);
    expect(positions.done).toBe(false);
    positions.advance('images', 0, 12);
    expect(positions.done).toBe(true);
  });

  it('never go back, and know nothing of what nobody asked for', () => {
    const positions = new RangePositions([range(0, 5, 8)]);
    positions.advance('images', 0, 6);
    positions.advance('images', 0, 5);
    positions.advance('verdicts', 0, 9);
    expect(positions.openOf('images', 0)?.next).toBe(6);
    expect(positions.openOf('verdicts', 0)).toBeUndefined();
  });

  it('have nothing to read in an empty range', () => {
    expect(new RangePositions([range(0, 5, 5), range(1, 9, 3)]).done).toBe(true);
  });
});

it('connects to no broker when every range is empty', async () => {
  const brokers = new FakeBrokers();
  const { kafka } = brokers;
  await readRanges({ kafka, ranges: [range(0, 3, 3)], onRecord: () => undefined });
  expect(brokers.connects).toBe(0);
});
