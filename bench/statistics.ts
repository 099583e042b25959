/** What several rounds of one measurement come to. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  values: number[];
}

/** Throws RangeError when there is nothing to take the median of. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('no values to take the median of');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (at(sorted, Math.floor(middle)) + at(sorted, Math.ceil(middle))) / 2;
  return { median, min: at(sorted, 0), max: at(sorted, -1), values: [...values] };
}

/** The parts of a distribution that latencies are told by. */
export interface Percentiles {
  p50: number;
  p90: number;
  p99: number;
}

/** Throws RangeError when there is nothing to take them of. */
export function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  return { p50: rank(sorted, 0.5), p90: rank(sorted, 0.9), p99: rank(sorted, 0.99) };
}

/** The nearest rank: the smallest of the values that so large a part of them does not exceed. */
function rank(sorted: readonly number[], part: number): number {
  return at(sorted, Math.max(0, Math.ceil(part * sorted.length) - 1));
}

/** When a part of the events was done: the first ones, which warm up, are left out. */
export interface Window {
  /** ms since the epoch; the last of the events that warm up was done. */
  from: number;
  /** The last event was done. */
  until: number;
  /** Events done after `from`. */
  events: number;
}

/**
 * The window after the first `warmUp` of the moments (ms since the epoch, in any order). Events of the very
 * millisecond in which it begins are not counted, so that a batch is never split in its favour.
 * Throws RangeError when nothing is left.
 */
export function windowOf(moments: readonly number[], warmUp: number): Window {
  const sorted = moments.toSorted((a, b) => a - b);
  const from = at(sorted, warmUp - 1);
  const until = at(sorted, -1);
  const events = sorted.filter((moment) => moment > from).length;
  if (events === 0) throw new RangeError(`all ${moments.length} events were done while warming up`);
  return { from, until, events };
}

export function eventsPerSecond({ from, until, events }: Window): number {
  return (events * 1000) / (until - from);
}

function at(values: readonly number[], index: number): number {
  const value = values.at(index);
  if (value === undefined) throw new RangeError(`no value at ${index} of ${values.length}`);
  return value;
}
