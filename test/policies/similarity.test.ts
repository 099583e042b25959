import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { similaritiesTo } from '../../src/policies/similarity.ts';

describe('similaritiesTo', () => {
  it('gives the dot product of each row, however many rows and columns', () => {
    const number = fc.float({ min: -1, max: 1, noNaN: true });
    const shape = fc.tuple(fc.nat({ max: 11 }), fc.integer({ min: 1, max: 19 }));
    const inputs = shape.chain(([rows, width]) =>
      fc.tuple(
        fc.array(fc.array(number, { minLength: width, maxLength: width }), {
          minLength: rows,
          maxLength: rows,
        }),
        fc.array(number, { minLength: width, maxLength: width }),
      ),
    );
    fc.assert(
      fc.property(inputs, ([rows, vector]) => {
        const to = similaritiesTo(Float32Array.from(rows.flat()), vector.length);
        const cosines = to(Float32Array.from(vector));
        const expected = rows.map((row) =>
          row.reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0),
        );
        expect(cosines).toHaveLength(rows.length);
        for (const [row, value] of expected.entries()) expect(cosines[row]).toBeCloseTo(value, 5);
      }),
    );
  });
});
