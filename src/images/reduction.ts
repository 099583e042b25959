import type { Axis } from './geometry.ts';
import type { PreprocessSpec } from './image-decoder.ts';
import type { PlannedView } from './views.ts';

/** The exact resampling does at least this much of the reduction: what it is spared hardly shows then. */
const LEAST_REDUCTION = 4;

/** A frame to be made smaller before its views are cut out of it, and the views as they lie in it then. */
export interface Reduction {
  width: number;
  height: number;
  /** False: the frame is as it was. */
  reduced: boolean;
  views: PlannedView[];
}

/**
 * A large frame is brought near the views' targets by halves before the exact resampling, natively and row by
 * row, so that its pixels never lie in memory all at once.
 */
export function planReduction(
  frame: { width: number; height: number },
  views: readonly PlannedView[],
  kernel: PreprocessSpec['kernel'],
): Reduction {
  const halves = (axes: Axis[]): number =>
    kernel === 'nearest' ? 0 : Math.min(...axes.map(halvesOf));
  const across = 2 ** halves(views.map(({ geometry }) => geometry.horizontal));
  const down = 2 ** halves(views.map(({ geometry }) => geometry.vertical));
  return {
    width: Math.ceil(frame.width / across),
    height: Math.ceil(frame.height / down),
    reduced: across > 1 || down > 1,
    views: views.map((view) => reduceView(view, across, down)),
  };
}

function halvesOf({ input, target }: Axis): number {
  return Math.max(0, Math.floor(Math.log2(input / target / LEAST_REDUCTION)));
}

function reduceView(view: PlannedView, across: number, down: number): PlannedView {
  const { area, geometry } = view;
  const [left, width] = reduceSpan(area.left, area.width, across);
  const [top, height] = reduceSpan(area.top, area.height, down);
  return {
    ...view,
    area: { left, top, width, height },
    geometry: {
      horizontal: { ...geometry.horizontal, input: width },
      vertical: { ...geometry.vertical, input: height },
    },
  };
}

function reduceSpan(start: number, length: number, by: number): [number, number] {
  const first = Math.floor(start / by);
  return [first, Math.ceil((start + length) / by) - first];
}
