import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { Box } from '../../src/images/image-decoder.ts';
import { planReduction } from '../../src/images/reduction.ts';
import { MOST_DETAILS, planViews, type Looks } from '../../src/images/views.ts';
import { clipSpec, siglipSpec } from '../support/tiny-clip.ts';

const STANDARD: Looks = { looks: 'standard', tiles: 6 };
const THOROUGH: Looks = { ...STANDARD, looks: 'thorough' };
const all = (width: number, height: number): Box => ({ left: 0, top: 0, width, height });
const edge = fc.integer({ min: 1, max: 20_000 });
const end = ({ left, top, width, height }: Box) => [left + width, top + height] as const;
const cropsOf = (spec: typeof clipSpec, area: Box, looks = STANDARD) =>
  planViews(spec, area, looks).map(({ crop, box }) => [crop, box]);

describe('a standard look', () => {
  it.each<[string, Box, string, Box]>([
    ['the centre of a square', all(500, 500), 'center', all(500, 500)],
    ['the centre of a near square', all(250, 224), 'center', { ...all(224, 224), left: 13 }],
    ['the whole of 4:3', all(800, 600), 'whole', all(800, 600)],
    ['the whole of 3:2 upright', all(427, 640), 'whole', all(427, 640)],
  ])('is %s', (_, area, crop, box) => {
    expect(cropsOf(clipSpec, area)).toEqual([[crop, box]]);
  });

  it('is squares from end to end of what is longer than 3:2', () => {
    expect(cropsOf(clipSpec, all(1_600, 900))).toEqual([
      ['tile', all(900, 900)],
      ['tile', { ...all(900, 900), left: 700 }],
    ]);
    expect(cropsOf(clipSpec, all(100, 250))).toEqual([
      ['tile', all(100, 100)],
      ['tile', { ...all(100, 100), top: 75 }],
      ['tile', { ...all(100, 100), top: 150 }],
    ]);
  });

  it('is stretched tiles where squares would not reach, one where fewer than two are allowed', () => {
    const tiles = planViews(clipSpec, all(1_200, 10), STANDARD);
    expect(tiles.map(({ box }) => box.width)).toEqual(Array<number>(6).fill(200));
    for (const count of [0, 1]) {
      const looks = { ...STANDARD, tiles: count };
      expect(cropsOf(clipSpec, all(100, 1_000), looks)).toEqual([['whole', all(100, 1_000)]]);
    }
  });

  it('is the whole for a model that squashes, and tiles besides from 2:1 on', () => {
    expect(cropsOf(siglipSpec, all(600, 400))).toEqual([['whole', all(600, 400)]]);
    expect(cropsOf(siglipSpec, all(800, 400)).map(([crop]) => crop)).toEqual([
      'whole',
      'tile',
      'tile',
    ]);
  });

  it('shows every pixel but the narrow sides of a near square, inside the area, wherever it lies', () => {
    const offset = fc.nat(1_000);
    fc.assert(
      fc.property(edge, edge, offset, offset, (width, height, left, top) => {
        const area = { left, top, width, height };
        const boxes = planViews(clipSpec, area, STANDARD).map(({ box }) => box);
        const [right, bottom] = end(area);
        for (const box of boxes) {
          const [boxRight, boxBottom] = end(box);
          expect(box.left >= left && box.top >= top).toBe(true);
          expect(boxRight <= right && boxBottom <= bottom).toBe(true);
          expect(Math.min(box.width, box.height)).toBeGreaterThan(0);
        }
        if (Math.max(width, height) <= 1.15 * Math.min(width, height)) return;
        let reached = width >= height ? left : top;
        for (const box of boxes) {
          expect(width >= height ? box.left : box.top).toBeLessThanOrEqual(reached);
          reached = end(box)[width >= height ? 0 : 1];
        }
        expect(reached).toBe(width >= height ? right : bottom);
      }),
    );
  });
});

describe('a single look', () => {
  it('is what the model’s own preprocessing shows, whatever the shape', () => {
    const single: Looks = { looks: 'single', tiles: 6 };
    expect(cropsOf(clipSpec, all(900, 100), single)).toEqual([
      ['center', { ...all(100, 100), left: 400 }],
    ]);
    expect(cropsOf(siglipSpec, all(900, 100), single)).toEqual([['whole', all(900, 100)]]);
  });
});

describe('a thorough look', () => {
  it('adds a grid of smaller squares to a standard one', () => {
    const views = planViews(clipSpec, all(1_000, 1_000), THOROUGH);
    expect(views.map(({ crop, box }) => [crop, box.left, box.top, box.width])).toEqual([
      ['center', 0, 0, 1_000],
      ['detail', 0, 0, 600],
      ['detail', 0, 400, 600],
      ['detail', 400, 0, 600],
      ['detail', 400, 400, 600],
    ]);
  });

  it('covers every pixel with its squares, and is bounded', () => {
    fc.assert(
      fc.property(edge, edge, (width, height) => {
        const details = planViews(clipSpec, all(width, height), THOROUGH).filter(
          ({ crop }) => crop === 'detail',
        );
        expect(details.length).toBeLessThanOrEqual(MOST_DETAILS);
        for (const axis of [0, 1] as const) {
          const starts = ({ left, top }: Box) => (axis === 0 ? left : top);
          const ordered = details.map(({ box }) => box).toSorted((a, b) => starts(a) - starts(b));
          let reached = 0;
          for (const box of ordered) {
            expect(starts(box)).toBeLessThanOrEqual(reached);
            reached = Math.max(reached, end(box)[axis]);
          }
          expect(reached).toBe(axis === 0 ? width : height);
        }
      }),
    );
  });
});

describe('a frame is made smaller before its views are cut out', () => {
  it('by no more than leaves each view four times its target', () => {
    fc.assert(
      fc.property(edge, edge, fc.constantFrom(clipSpec, siglipSpec), (width, height, spec) => {
        const views = planViews(spec, all(width, height), THOROUGH);
        const reduction = planReduction({ width, height }, views, spec.kernel);
        for (const { geometry, area } of reduction.views) {
          const [right, bottom] = end(area);
          expect(right).toBeLessThanOrEqual(reduction.width);
          expect(bottom).toBeLessThanOrEqual(reduction.height);
          if (!reduction.reduced) continue;
          const { horizontal, vertical } = geometry;
          if (reduction.width < width) {
            expect(horizontal.input).toBeGreaterThanOrEqual(4 * horizontal.target);
          }
          if (reduction.height < height) {
            expect(vertical.input).toBeGreaterThanOrEqual(4 * vertical.target);
          }
        }
      }),
    );
  });

  it('not at all for a model that takes the nearest pixel', () => {
    const views = planViews(clipSpec, all(9_000, 9_000), THOROUGH);
    expect(planReduction({ width: 9_000, height: 9_000 }, views, 'nearest').reduced).toBe(false);
  });
});
