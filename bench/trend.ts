/** A quantity at a moment. */
export interface Sample {
  /** ms */
  at: number;
  value: number;
}

/** How fast a quantity grows. */
export interface Trend {
  /** Of a straight line, by least squares. */
  perHour: number;
  /** Half the width of the slope's 95 % interval. */
  halfWidth: number;
}

/** Means of so many blocks are fitted: samples of a second after each other are not independent, and these nearly are. */
const BLOCKS = 20;
/** Student's t for 95 %, two-sided, with BLOCKS − 2 degrees of freedom. */
const T_95 = 2.101;
const HOUR_MS = 3_600_000;

/** Of samples in the order of time. Throws RangeError when there are fewer than the blocks to divide them into. */
export function trendOf(samples: readonly Sample[]): Trend {
  if (samples.length < BLOCKS) {
    throw new RangeError(`${samples.length} samples are too few for a trend: ${BLOCKS} at least`);
  }
  const blocks = Array.from({ length: BLOCKS }, (_, block) => {
    const bound = (n: number): number => Math.floor((n * samples.length) / BLOCKS);
    const some = samples.slice(bound(block), bound(block + 1));
    return { x: mean(some.map(({ at }) => at / HOUR_MS)), y: mean(some.map(({ value }) => value)) };
  });
  const { slope, standardError } = fitLine(blocks);
  return { perHour: slope, halfWidth: T_95 * standardError };
}

/** Least squares. `standardError` is that of the slope, of independent errors of one variance. */
export function fitLine(points: ReadonlyArray<{ x: number; y: number }>): {
  slope: number;
  standardError: number;
} {
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const spread = sum(points.map(({ x }) => (x - meanX) ** 2));
  const slope = sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / spread;
  const residuals = points.map(({ x, y }) => (y - meanY - slope * (x - meanX)) ** 2);
  return { slope, standardError: Math.sqrt(sum(residuals) / (points.length - 2) / spread) };
}

/** The slope is told from none only where its interval leaves zero out. */
export function holdsZero({ perHour, halfWidth }: Trend): boolean {
  return Math.abs(perHour) <= halfWidth;
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
