import { geometryOf, type Axis, type Geometry } from './geometry.ts';
import type { Box, PreprocessSpec, Region } from './image-decoder.ts';

/** An image this many times longer than wide is looked at in tiles as well. */
const TILED_FROM = 2;

export interface PlannedView {
  crop: Region['crop'];
  /** The part of the frame that the geometry is about. */
  area: Box;
  geometry: Geometry;
  /** The part of it that ends up in the pixels. */
  box: Box;
}

/**
 * What is looked at of one frame of `width` × `height` pixels: first what the model's own preprocessing shows,
 * then, of a very long image, tiles along its longer axis, so that the centre crop does not hide the rest. They
 * are squares, spread evenly with the first and the last at the ends, overlapping where the length does not
 * divide; where `maxTiles` squares cannot cover it, they are stretched until they do.
 */
export function planViews(
  spec: PreprocessSpec,
  { width, height }: { width: number; height: number },
  maxTiles: number,
): PlannedView[] {
  const whole = { left: 0, top: 0, width, height };
  const first = planView(spec, spec.mode === 'squash' ? 'whole' : 'center', whole);
  const squashed: PreprocessSpec = { ...spec, mode: 'squash' };
  const tiles = tilesOf(whole, maxTiles).map((tile) => planView(squashed, 'tile', tile));
  return [first, ...tiles];
}

function planView(spec: PreprocessSpec, crop: Region['crop'], area: Box): PlannedView {
  const geometry = geometryOf(spec, area.width, area.height);
  const [left, width] = kept(geometry.horizontal);
  const [top, height] = kept(geometry.vertical);
  return {
    crop,
    area,
    geometry,
    box: { left: area.left + left, top: area.top + top, width, height },
  };
}

/** Start and length of the kept part, in samples of the input. */
function kept({ input, target, offset, length }: Axis): [number, number] {
  const start = Math.floor((offset * input) / target);
  const end = Math.min(input, Math.ceil(((offset + length) * input) / target));
  return [start, end - start];
}

function tilesOf({ width, height }: Box, maxTiles: number): Box[] {
  const long = Math.max(width, height);
  const short = Math.min(width, height);
  if (maxTiles < 2 || long < TILED_FROM * short) return [];
  const count = Math.min(maxTiles, Math.ceil(long / short));
  const length = Math.max(short, Math.ceil(long / count));
  return Array.from({ length: count }, (_, i) => {
    const start = Math.round((i * (long - length)) / (count - 1));
    return width >= height
      ? { left: start, top: 0, width: length, height }
      : { left: 0, top: start, width, height: length };
  });
}

/** Zero-based: at most `max` of `total` frames, the first and the last among them, the others evenly between. */
export function sampleFrames(total: number, max: number): number[] {
  const count = Math.min(total, max);
  if (count === 1) return [0];
  return Array.from({ length: count }, (_, i) => Math.round((i * (total - 1)) / (count - 1)));
}
