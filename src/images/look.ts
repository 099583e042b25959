/** Looks at one frame: decodes what its views are made of and resamples each as Pillow does. */
import { flatten } from './alpha.ts';
import type { DecoderSettings } from './decoder-messages.ts';
import type { Geometry } from './geometry.ts';
import type { Box, Pixels, View } from './image-decoder.ts';
import type { OpenImage } from './open-image.ts';
import { cut, decodePlainly, decodeRaster, unionOf, type Raster } from './raster.ts';
import { planReduction, type Reduction } from './reduction.ts';
import { planResampling, type Resampling } from './resample.ts';
import { contentOf } from './trim.ts';
import { planViews, type PlannedView } from './views.ts';

type LookSettings = Pick<DecoderSettings, 'preprocess' | 'views'>;

/** A view, and what it is made of. */
interface Part {
  view: PlannedView;
  resampling: Resampling;
  /** In the frame as it is decoded, which may be reduced. */
  box: Box;
}

interface Plan {
  reduction: Reduction;
  parts: Part[];
}

/** Pixels of a part of a frame, which may be reduced. */
interface Decoded {
  raster: Raster;
  /** The part, in the frame as it is decoded. */
  box: Box;
}

/** The views of a frame; of one with uniform borders, those of what they surround. */
export async function viewsOf(
  image: OpenImage,
  frame: number,
  settings: LookSettings,
): Promise<View[]> {
  const whole = { left: 0, top: 0, width: image.width, height: image.height };
  const plan = planOf(image, whole, settings);
  if (settings.views.looks === 'single') {
    return viewsFrom(plan, await decode(image, plan, unionOf(boxesOf(plan))), frame);
  }
  const decoded = await decode(image, plan, sizeOf(plan.reduction));
  const content = inFrame(contentOf(decoded.raster), plan.reduction, whole);
  if (content.width === whole.width && content.height === whole.height) {
    return viewsFrom(plan, decoded, frame);
  }
  const closer = planOf(image, content, settings);
  const isAsLarge = closer.reduction.width === plan.reduction.width;
  const isAsHigh = closer.reduction.height === plan.reduction.height;
  return isAsLarge && isAsHigh
    ? viewsFrom(closer, decoded, frame)
    : viewsFrom(closer, await decode(image, closer, unionOf(boxesOf(closer))), frame);
}

function planOf(image: OpenImage, area: Box, { preprocess, views }: LookSettings): Plan {
  const planned = planViews(preprocess, area, views);
  const reduction = planReduction(image, planned, preprocess.kernel);
  const parts = reduction.views.map(({ area: reduced, geometry }, index) => {
    const resampling = planResampling(geometry, preprocess.kernel);
    const { horizontal, vertical } = resampling;
    const left = reduced.left + horizontal.start;
    const top = reduced.top + vertical.start;
    const box = { left, top, width: horizontal.length, height: vertical.length };
    return { view: planned[index] as PlannedView, resampling, box };
  });
  return { reduction, parts };
}

const boxesOf = ({ parts }: Plan): Box[] => parts.map(({ box }) => box);

const sizeOf = ({ width, height }: Reduction): Box => ({ left: 0, top: 0, width, height });

async function decode(image: OpenImage, { reduction }: Plan, box: Box): Promise<Decoded> {
  const raster = reduction.reduced
    ? await decodeRaster(image, box, reduction)
    : (decodePlainly(image, box) ?? (await decodeRaster(image, box, null)));
  return { raster, box };
}

/** A part of a frame as it is decoded, in the frame's own pixels. */
function inFrame(box: Box, reduction: Reduction, whole: Box): Box {
  const across = whole.width / reduction.width;
  const down = whole.height / reduction.height;
  const left = Math.floor(box.left * across);
  const top = Math.floor(box.top * down);
  return {
    left,
    top,
    width: Math.min(whole.width, Math.ceil((box.left + box.width) * across)) - left,
    height: Math.min(whole.height, Math.ceil((box.top + box.height) * down)) - top,
  };
}

function viewsFrom({ parts }: Plan, { raster, box: decoded }: Decoded, frame: number): View[] {
  return parts.flatMap(({ view, resampling, box }) => {
    const part = cut(raster, { ...box, left: box.left - decoded.left, top: box.top - decoded.top });
    const ways = part.channels === 3 ? [{ background: null, data: part.data }] : flatten(part.data);
    return ways.map(({ background, data }) => ({
      pixels: pad(resampling.run(data), view.geometry),
      region: { frame, crop: view.crop, box: view.box, background },
    }));
  });
}

function pad(kept: Pixels, { horizontal, vertical }: Geometry): Pixels {
  const { output: width, pad: left } = horizontal;
  const { output: height, pad: top } = vertical;
  if (kept.width === width && kept.height === height) return kept;
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < kept.height; row++) {
    const line = kept.data.subarray(row * kept.width * 3, (row + 1) * kept.width * 3);
    data.set(line, ((row + top) * width + left) * 3);
  }
  return { data, width, height };
}
