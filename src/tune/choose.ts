/** From measurements to a choice. Pure. */
import type { Settings } from './settings.ts';

/** What one trial came to. */
export interface Measurement {
  imagesPerSecond: number;
  /** The most that the process and its decoders took, each at its peak; null where there is no /proc. */
  memoryMiB: number | null;
  /** Means over the batches. */
  batchMs: number;
  batchSize: number;
}

/** A candidate and what its trials came to, one at least. */
export interface Result extends Measurement {
  settings: Settings;
  rounds: readonly Measurement[];
}

/** As fast, for whoever would rather have the memory. */
const AS_FAST = 0.97;
/** Memory that differs by less is the same: peaks are not that steady. */
const AS_SMALL = 1.05;
/** A candidate whose best round falls behind the fastest by more is not measured again. */
const CONTENDING = 0.6;
/** Faster in so many rounds, or it is chance. */
const ROUNDS_WON = 3 / 4;
const WORTH_A_CHANGE = 1.01;

/** The medians of its rounds, and the most memory. Throws RangeError when there are none. */
export function resultOf(settings: Settings, rounds: readonly Measurement[]): Result {
  const memory = rounds.flatMap(({ memoryMiB }) => memoryMiB ?? []);
  return {
    settings,
    rounds,
    imagesPerSecond: median(rounds.map(({ imagesPerSecond }) => imagesPerSecond)),
    memoryMiB: memory.length === 0 ? null : Math.max(...memory),
    batchMs: median(rounds.map(({ batchMs }) => batchMs)),
    batchSize: median(rounds.map(({ batchSize }) => batchSize)),
  };
}

/**
 * Of those that fit the memory (or of all, where none does, the smallest) the fastest, and of those that are as fast
 * the one that takes the least memory. Throws RangeError when there are no results.
 */
export function choose(results: readonly Result[], maxMemoryMiB: number): Result {
  const fitting = results.filter((result) => memoryOf(result) <= maxMemoryMiB);
  if (fitting.length === 0) return best(results, (result) => -memoryOf(result));
  const top = fastest(fitting);
  const asFast = fitting.filter(
    ({ imagesPerSecond }) => imagesPerSecond >= AS_FAST * top.imagesPerSecond,
  );
  const least = Math.min(...asFast.map(memoryOf));
  return fastest(asFast.filter((result) => memoryOf(result) <= AS_SMALL * least));
}

export function fastest(results: readonly Result[]): Result {
  return best(results, ({ imagesPerSecond }) => imagesPerSecond);
}

/** Those that are worth another round: of what fits the memory, where anything does, what is not far behind. */
export function contenders(results: readonly Result[], maxMemoryMiB: number): Result[] {
  const fitting = results.filter((result) => memoryOf(result) <= maxMemoryMiB);
  if (fitting.length === 0) return [...results];
  const needed = CONTENDING * fastest(fitting).imagesPerSecond;
  return fitting.filter(({ rounds }) =>
    rounds.some(({ imagesPerSecond }) => imagesPerSecond >= needed),
  );
}

/** One round of the given settings and of the chosen ones, one after the other, in images a second. */
export interface Pair {
  given: number;
  chosen: number;
}

export interface Gain {
  /** How many times as fast the chosen settings are: the median of the rounds. */
  ratio: number;
  /** Rounds in which they were faster. */
  won: number;
  /** Whether that is more than chance. */
  isSure: boolean;
}

/** Throws RangeError when there are no rounds. */
export function gainOf(pairs: readonly Pair[]): Gain {
  const ratio = median(pairs.map(({ given, chosen }) => chosen / given));
  const won = pairs.filter(({ given, chosen }) => chosen > given).length;
  return { ratio, won, isSure: ratio >= WORTH_A_CHANGE && won >= ROUNDS_WON * pairs.length };
}

/**
 * What something of this size takes, by what others took: along the line through the nearest two; where there is only
 * one, and smaller, in proportion, which is more than it will be. Null when nothing is known.
 */
export function forecast(
  known: ReadonlyArray<{ size: number; value: number }>,
  size: number,
): number | null {
  const distance = (other: { size: number }): number => Math.abs(other.size - size);
  const [near, far] = known
    .toSorted((a, b) => b.value - a.value)
    .filter(({ size }, at, all) => all.findIndex((other) => other.size === size) === at)
    .sort((a, b) => distance(a) - distance(b));
  if (near === undefined) return null;
  if (far === undefined) return size < near.size ? null : near.value * (size / near.size);
  const slope = Math.max(0, (near.value - far.value) / (near.size - far.size));
  return near.value + slope * (size - near.size);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  if (low === undefined || high === undefined) throw new RangeError('no values');
  return (low + high) / 2;
}

function best(results: readonly Result[], worth: (result: Result) => number): Result {
  return results.reduce((a, b) => (worth(b) > worth(a) ? b : a));
}

function memoryOf({ memoryMiB }: Result): number {
  return memoryMiB ?? 0;
}
