import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { Box } from '../../src/images/image-decoder.ts';
import { planReduction } from '../../src/images/reduction.ts';
import { planViews, sampleFrames } from '../../src/images/views.ts';
import { clipSpec, siglipSpec } from '../support/tiny-clip.ts';

const TILES = 6;
const edge = fc.integer({ min: 1, max: 20_000 });
const end = ({ left, top, width, height }: Box) => [left + width, top + height] as const;

describe('the views of a frame', () => {
  it.each<[string, number, number, Box]>([
    ['landscape', 600, 400, { left: 100, top: 0, width: 400, height: 400 }],
    ['portrait', 400, 600, { left: 0, top: 100, width: 400, height: 400 }],
    ['square', 500, 500, { left: 0, top: 0, width: 500, height: 500 }],
  ])('are the centre alone of a %s', (_, width, height, box) => {
    const views = planViews(clipSpec, { width, height }, TILES);
    expect(views.map((view) => [view.crop, view.box])).toEqual([['center', box]]);
  });

  it('are the whole of a picture for a model that squashes', () => {
    const views = planViews(siglipSpec, { width: 600, height: 400 }, TILES);
    const box = { left: 0, top: 0, width: 600, height: 400 };
    expect(views.map((view) => [view.crop, view.box])).toEqual([['whole', box]]);
  });

  it('are tiles from end to end too of one twice as long as wide', () => {
    const [centre, ...tiles] = planViews(clipSpec, { width: 100, height: 250 }, TILES);
    expect(centre?.box).toEqual({ left: 0, top: 75, width: 100, height: 100 });
    expect(tiles.map(({ box }) => [box.top, box.height])).toEqual([
      [0, 100],
      [75, 100],
      [150, 100],
    ]);
  });

  it('are stretched tiles where squares would not reach', () => {
    const [, ...tiles] = planViews(clipSpec, { width: 1_200, height: 10 }, TILES);
    expect(tiles).toHaveLength(TILES);
    expect(tiles.map(({ box }) => box.width)).toEqual(Array<number>(TILES).fill(200));
  });

  it.each([0, 1])('have no tiles where at most %d are allowed', (maxTiles) => {
    expect(planViews(clipSpec, { width: 100, height: 1_000 }, maxTiles)).toHaveLength(1);
  });

  it('lie inside the frame, and tiles leave nothing out', () => {
    fc.assert(
      fc.property(edge, edge, fc.integer({ min: 2, max: 12 }), (width, height, maxTiles) => {
        const views = planViews(clipSpec, { width, height }, maxTiles);
        for (const { box } of views) {
          const [right, bottom] = end(box);
          expect(Math.min(box.left, box.top)).toBeGreaterThanOrEqual(0);
          expect(Math.min(box.width, box.height)).toBeGreaterThan(0);
          expect(right).toBeLessThanOrEqual(width);
          expect(bottom).toBeLessThanOrEqual(height);
        }
        const tiles = views.slice(1).map(({ box }) => box);
        if (tiles.length === 0) return;
        let reached = 0;
        for (const tile of tiles) {
          expect(width > height ? tile.left : tile.top).toBeLessThanOrEqual(reached);
          reached = end(tile)[width > height ? 0 : 1];
        }
        expect(reached).toBe(Math.max(width, height));
      }),
    );
  });
});

describe('a frame is made smaller before its views are cut out', () => {
  it('by no more than leaves each view four times its target', () => {
    fc.assert(
      fc.property(edge, edge, fc.constantFrom(clipSpec, siglipSpec), (width, height, spec) => {
        const views = planViews(spec, { width, height }, TILES);
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
    const views = planViews(clipSpec, { width: 9_000, height: 9_000 }, TILES);
    expect(planReduction({ width: 9_000, height: 9_000 }, views, 'nearest').reduced).toBe(false);
  });
});

describe('the frames that are looked at', () => {
  it.each([
    [1, 6, [0]],
    [3, 6, [0, 1, 2]],
    [6, 6, [0, 1, 2, 3, 4, 5]],
    [101, 6, [0, 20, 40, 60, 80, 100]],
    [101, 1, [0]],
    [101, 2, [0, 100]],
  ])('of %d, at most %d', (total, max, frames) => {
    expect(sampleFrames(total, max)).toEqual(frames);
  });

  it('are different, in order, with the first and the last', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 1e6 }),
        fc.integer({ min: 2, max: 50 }),
        (total, max) => {
          const frames = sampleFrames(total, max);
          expect(frames.length).toBe(Math.min(total, max));
          expect([frames[0], frames.at(-1)]).toEqual([0, total - 1]);
          expect(frames).toEqual([...new Set(frames)].toSorted((a, b) => a - b));
        },
      ),
    );
  });
});
