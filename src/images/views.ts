import { geometryOf, type Axis, type Geometry } from './geometry.ts';
import type { Box, PreprocessSpec, Region, ViewSettings } from './image-decoder.ts';

/** Up to this aspect ratio the model's own centre square leaves too little out to hide anything in. */
const SQUARE_UNTIL = 1.15;
/** Up to this one, 3:2 and what rounding makes of it, one look at the whole, squashed, is as good as two squares. */
const SQUASHED_UNTIL = 1.51;
/** A model that squashes every image sees too little of one that is this many times longer than wide. */
const TILED_FROM = 2;
/** The edge of the squares of a thorough look, in shortest edges of the image; neighbours share at least a third. */
const DETAIL_EDGE = 0.6;
const DETAIL_STRIDE = 0.67;
/** The most squares of a thorough look along one axis. */
const MOST_ALONG = 8;
/** … and in all: two across the short axis. */
export const MOST_DETAILS = 2 * MOST_ALONG;

export interface PlannedView {
  crop: Region['crop'];
  /** The part of the frame that the geometry is about. */
  area: Box;
  geometry: Geometry;
  /** The part of it that ends up in the pixels. */
  box: Box;
}

/** What of a frame is looked at: the part within its borders, and how closely. */
export type Looks = Pick<ViewSettings, 'looks' | 'tiles'>;

/**
 * What is looked at of `area`, a part of a frame. `single`: what the model's own preprocessing shows. `standard`: every
 * pixel at least once, in as few looks as that takes: the centre square of what is nearly a square, the whole of what
 * is up to 3:2, squares from end to end of what is longer. They are spread evenly, overlapping where the length does
 * not divide; where `tiles` squares cannot cover it, they are stretched until they do. `thorough`: besides, a grid of
 * smaller squares, for what is small in the picture.
 */
export function planViews(spec: PreprocessSpec, area: Box, { looks, tiles }: Looks): PlannedView[] {
  const own = (): PlannedView => planView(spec, spec.mode === 'squash' ? 'whole' : 'center', area);
  if (looks === 'single') return [own()];
  const squashed: PreprocessSpec = { ...spec, mode: 'squash' };
  const squares = tilesOf(area, tiles).map((tile) => planView(squashed, 'tile', tile));
  const details =
    looks === 'standard'
      ? []
      : detailsOf(area).map((detail) => planView(squashed, 'detail', detail));
  return [...standardOf(), ...details];

  function standardOf(): PlannedView[] {
    const ratio = Math.max(area.width, area.height) / Math.min(area.width, area.height);
    if (spec.mode === 'squash') return ratio < TILED_FROM ? [own()] : [own(), ...squares];
    if (ratio <= SQUARE_UNTIL) return [own()];
    if (ratio <= SQUASHED_UNTIL || squares.length === 0) return [planView(squashed, 'whole', area)];
    return squares;
  }
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

/** At most `most` parts along the longer axis, as wide as the shorter one. */
function tilesOf(area: Box, most: number): Box[] {
  if (most < 2) return [];
  const { width, height } = area;
  const short = Math.min(width, height);
  const count = Math.min(most, Math.ceil(Math.max(width, height) / short));
  return width >= height
    ? spread(width, short, count).map(([left, length]) => part(area, left, 0, length, height))
    : spread(height, short, count).map(([top, length]) => part(area, 0, top, width, length));
}

function detailsOf(area: Box): Box[] {
  const edge = Math.ceil(DETAIL_EDGE * Math.min(area.width, area.height));
  const along = (length: number): Array<[number, number]> => {
    const count = Math.ceil((length / edge - (1 - DETAIL_STRIDE)) / DETAIL_STRIDE);
    return spread(length, edge, Math.min(count, MOST_ALONG));
  };
  return along(area.width).flatMap(([left, width]) =>
    along(area.height).map(([top, height]) => part(area, left, top, width, height)),
  );
}

/** Start and length of `count` spans of at least `least` that cover `total`, the first and the last at its ends. */
function spread(total: number, least: number, count: number): Array<[number, number]> {
  if (count < 2) return [[0, total]];
  const length = Math.max(least, Math.ceil(total / count));
  return Array.from({ length: count }, (_, i) => [
    Math.round((i * (total - length)) / (count - 1)),
    length,
  ]);
}

function part(area: Box, left: number, top: number, width: number, height: number): Box {
  return { left: area.left + left, top: area.top + top, width, height };
}
