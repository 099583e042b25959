import { describe, expect, it } from '@jest/globals';

import type { Raster } from '../../src/images/raster.ts';
import { contentOf } from '../../src/images/trim.ts';

type Paint = (x: number, y: number) => number[];

function raster(width: number, height: number, paint: Paint, channels: 3 | 4 = 3): Raster {
  const pixels = Array.from({ length: width * height }, (_, at) =>
    paint(at % width, Math.trunc(at / width)).slice(0, channels),
  );
  return { data: Uint8Array.from(pixels.flat()), width, height, channels };
}

/** No two pixels beside each other are alike. */
const busy: Paint = (x, y) => [(x * 90 + y * 50) % 256, (x * 40) % 256, (y * 70) % 256, 255];
const framed =
  (border: Paint, [left, top, right, bottom]: [number, number, number, number]): Paint =>
  (x, y) =>
    x >= left && x < right && y >= top && y < bottom ? busy(x, y) : border(x, y);
const white: Paint = () => [255, 255, 255, 255];
const all = { left: 0, top: 0, width: 100, height: 80 };

describe('what uniform borders surround', () => {
  it('is all of a picture without any', () => {
    expect(contentOf(raster(100, 80, busy))).toEqual(all);
  });

  it.each<[string, Paint]>([
    ['white', white],
    ['black', () => [0, 0, 0, 255]],
    ['grey with artefacts', (x, y) => [120 + ((x + y) % 9), 120, 124, 255]],
    ['transparent', () => [0, 0, 0, 0]],
  ])('is the picture in a %s frame', (_, border) => {
    const image = raster(100, 80, framed(border, [20, 10, 70, 60]), 4);
    expect(contentOf(image)).toEqual({ left: 20, top: 10, width: 50, height: 50 });
  });

  it('is the picture between bars, or in the corner of a page', () => {
    expect(contentOf(raster(100, 80, framed(white, [0, 30, 100, 50])))).toEqual({
      ...all,
      top: 30,
      height: 20,
    });
    expect(contentOf(raster(100, 80, framed(white, [0, 0, 40, 30])))).toEqual({
      ...all,
      width: 40,
      height: 30,
    });
  });

  it('is all of it under a sky, which is not as even as a border', () => {
    const sky: Paint = (x, y) => [90 + (x % 7), 140 + Math.trunc(y / 4), 230, 255];
    expect(contentOf(raster(100, 80, framed(sky, [0, 40, 100, 80])))).toEqual(all);
  });

  it('is all of it where the borders are narrow, or there is nothing else', () => {
    expect(contentOf(raster(100, 80, framed(white, [2, 2, 98, 78])))).toEqual(all);
    expect(contentOf(raster(100, 80, white))).toEqual(all);
    expect(contentOf(raster(100, 80, framed(white, [50, 40, 51, 41])))).toEqual(all);
    expect(contentOf(raster(1, 1, white))).toEqual({ ...all, width: 1, height: 1 });
  });

  it('has what is painted under a transparent border: a conversion may bring it to light', () => {
    const hidden: Paint = (x, y) => [...busy(x, y).slice(0, 3), 0];
    expect(contentOf(raster(100, 80, framed(hidden, [20, 10, 70, 60]), 4))).toEqual(all);
  });
});
