import type { Box } from './image-decoder.ts';
import type { Raster } from './raster.ts';

/** How far the pixels of a frame's bars may be from their colour, in levels of 255: as far as JPEG's artefacts. */
const BARS_TOLERANCE = 12;
/** … and those of a border that has none on the other side: a sky is not as even. */
const BORDER_TOLERANCE = 3;
/** The most of a border's line that may be of another colour. */
const MOST_OTHERS = 0.01;
/** A border is one from this share of an edge on, and leaves at least as much of it. */
const LEAST_SHARE = 0.06;
const LEAST_KEPT = 0.02;

/** A row or a column of a raster, in bytes. */
interface Line {
  start: number;
  step: number;
  length: number;
}

type LineAt = (at: number) => Line;

/**
 * The part of a raster that uniform borders surround: all of it where they are narrow, or where nothing else is there.
 * An image is looked at without them, as people do: they make its content small, and move it out of a centre square.
 */
export function contentOf(raster: Raster): Box {
  const { width, height, channels } = raster;
  const [top, bottom] = bordersOf(raster, height, (y) => ({
    start: y * width * channels,
    step: channels,
    length: width,
  }));
  const all = { left: 0, top: 0, width, height };
  if (top === height) return all;
  const [left, right] = bordersOf(raster, width, (x) => ({
    start: (top * width + x) * channels,
    step: width * channels,
    length: height - top - bottom,
  }));
  const content = { left, top, width: width - left - right, height: height - top - bottom };
  const kept = [content.width / width, content.height / height];
  const isNarrow = kept.every((share) => share > 1 - LEAST_SHARE);
  const isTiny = kept.some((share) => share < LEAST_KEPT);
  return isNarrow || isTiny ? all : content;
}

/** How many of `count` lines belong to the border at the first and at the last of them. */
function bordersOf(raster: Raster, count: number, lineAt: LineAt): [number, number] {
  const back: LineAt = (at) => lineAt(count - 1 - at);
  const [first, last] = [lineAt(0).start, back(0).start];
  const both = (tolerance: number): [number, number] => {
    const before = borderOf(raster, count, lineAt, tolerance);
    return [before, borderOf(raster, count - before, back, tolerance)];
  };
  const bars = both(BARS_TOLERANCE);
  const isFramed = bars[0] > 0 && bars[1] > 0 && isNear(raster, first, last, BARS_TOLERANCE);
  return isFramed ? bars : both(BORDER_TOLERANCE);
}

/** How many of the first lines show the colour of the outermost one. */
function borderOf(raster: Raster, most: number, lineAt: LineAt, tolerance: number): number {
  if (most === 0) return 0;
  const reference = lineAt(0).start;
  let at = 0;
  while (at < most && isOfColour(raster, lineAt(at), reference, tolerance)) at += 1;
  return at;
}

function isOfColour(raster: Raster, line: Line, reference: number, tolerance: number): boolean {
  const most = line.length * MOST_OTHERS;
  let others = 0;
  for (let i = 0, at = line.start; i < line.length; i++, at += line.step) {
    if (isNear(raster, at, reference, tolerance)) continue;
    others += 1;
    if (others > most) return false;
  }
  return true;
}

function isNear({ data, channels }: Raster, a: number, b: number, tolerance: number): boolean {
  for (let channel = 0; channel < channels; channel++) {
    const distance = (data[a + channel] as number) - (data[b + channel] as number);
    if (distance > tolerance || distance < -tolerance) return false;
  }
  return true;
}
