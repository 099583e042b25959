import { describe, expect, it } from '@jest/globals';
import { choose, contenders, forecast, gainOf, resultOf } from '../../src/tune/choose.ts';
import { measurement, result, settings } from '../support/tuning.ts';

const one = result({ workers: 1 }, { imagesPerSecond: 80, memoryMiB: 400 });
const two = result({ workers: 2 }, { imagesPerSecond: 98, memoryMiB: 600 });
const four = result({ workers: 4 }, { imagesPerSecond: 100, memoryMiB: 1000 });

describe('resultOf', () => {
  it('takes the median of the rounds, so that a slow minute costs nothing, and the most memory', () => {
    const rounds = [100, 20, 104].map((imagesPerSecond, at) =>
      measurement({ imagesPerSecond, memoryMiB: 500 + at }),
    );
    expect(resultOf(settings(), rounds)).toMatchObject({ imagesPerSecond: 100, memoryMiB: 502 });
  });
});

describe('choose', () => {
  it('takes the fastest where it is clearly ahead', () => {
    const ahead = result({ workers: 4 }, { imagesPerSecond: 110, memoryMiB: 1000 });
    expect(choose([one, two, ahead], Infinity)).toBe(ahead);
  });

  it('takes the least memory of those within 3 % of the fastest', () => {
    expect(choose([one, two, four], Infinity)).toBe(two);
  });

  it('does not give speed away for memory that differs by chance', () => {
    const alike = result({ workers: 3 }, { imagesPerSecond: 100, memoryMiB: 620 });
    expect(choose([two, alike], Infinity)).toBe(alike);
  });

  it('keeps to the memory there is, and takes the smallest where none does', () => {
    expect(choose([one, two, four], 500)).toBe(one);
    expect(choose([four, one, two], 100)).toBe(one);
  });

  it('goes by speed alone where memory is not known', () => {
    const [a, b] = [99, 100].map((imagesPerSecond) =>
      result({}, { imagesPerSecond, memoryMiB: null }),
    );
    expect(
      choose(
        [a, b].flatMap((each) => each ?? []),
        1,
      ),
    ).toBe(b);
  });
});

describe('contenders', () => {
  const far = result({}, { imagesPerSecond: 55, memoryMiB: 400 });

  it('are those that are not far behind the fastest', () => {
    expect(contenders([far, two, four, one], Infinity)).toEqual([two, four, one]);
  });

  it('may have had one slow minute', () => {
    const struck = resultOf(
      settings({ workers: 3 }),
      [95, 20, 20].map((imagesPerSecond) => measurement({ imagesPerSecond })),
    );
    expect(contenders([four, struck], Infinity)).toEqual([four, struck]);
  });

  it('are not outrun by what takes too much memory', () => {
    expect(contenders([far, two, four, one], 500)).toEqual([far, one]);
    expect(contenders([far, two], 100)).toEqual([far, two]);
  });
});

describe('gainOf', () => {
  const pairs = (...ratios: number[]) =>
    ratios.map((ratio) => ({ given: 100, chosen: 100 * ratio }));

  it.each([
    ['faster in every round', [1.1, 1.2, 1.1, 1.1], true],
    ['faster in three of four', [1.1, 0.9, 1.2, 1.1], true],
    ['faster in half of them, though by far', [2, 0.9, 2, 0.9], false],
    ['faster by next to nothing', [1.005, 1.004, 1.006, 1.005], false],
    ['slower', [0.9, 0.8, 0.9, 0.9], false],
  ])('%s', (_, ratios, isSure) => {
    expect(gainOf(pairs(...ratios)).isSure).toBe(isSure);
  });

  it('is the median of the rounds', () => {
    expect(gainOf(pairs(1.1, 3, 1.2)).ratio).toBeCloseTo(1.2);
    expect(gainOf(pairs(1.1, 0.5, 1.2)).won).toBe(2);
  });
});

describe('forecast', () => {
  const of = (...points: Array<[number, number]>) =>
    points.map(([size, value]) => ({ size, value }));

  it.each([
    ['nothing is known', of(), 2, null],
    ['one smaller: in proportion', of([1, 400]), 2, 800],
    ['one larger: not known', of([4, 400]), 2, null],
    ['two: along the line, which has a base', of([1, 400], [2, 500]), 4, 700],
    ['the nearest two', of([1, 0], [8, 800], [16, 1000]), 32, 1400],
    ['the dearer of the same size', of([1, 400], [1, 300], [2, 500]), 4, 700],
    ['never less than a smaller one took', of([1, 400], [2, 300]), 4, 300],
  ])('%s', (_, known, size, expected) => {
    expect(forecast(known, size)).toBe(expected);
  });
});
