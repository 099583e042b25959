import type { Axis } from './axes.ts';
import { choose, gainOf, type Gain, type Measurement, type Pair, type Result } from './choose.ts';
import { compare, type CompareOptions, type LeftOut, type Measured } from './compare.ts';
import { areSame, inFlightFor, type Settings } from './settings.ts';

/** What was found along one axis. */
export interface Stage {
  axis: Axis;
  results: Result[];
  leftOut: LeftOut[];
  /** Among the results. */
  chosen: Result;
  /** Where the search came from. */
  reference: Result;
}

export interface Tuning {
  given: Settings;
  /** The given ones, where no others are surely faster. */
  chosen: Settings;
  stages: Stage[];
  /** The best that was found against what was given, last of all; null when they are the same. */
  final: Final | null;
}

export interface Final {
  found: Settings;
  pairs: Pair[];
  gain: Gain;
  /** Whether the given settings take more memory than they may. */
  givenIsTooLarge: boolean;
}

export interface SearchOptions extends Omit<CompareOptions, 'onMeasured'> {
  given: Settings;
  axes: readonly Axis[];
  /** On which each worker runs. */
  devices: number;
  /** Whether `maxInFlight` may be raised. */
  mayRaiseInFlight: boolean;
  onMeasured?: (title: string, label: string, measured: Measured) => void;
}

/** Rounds of the last comparison for each of the others: it decides. */
const FINAL_FACTOR = 2;

/**
 * One axis after the other, each with the best of those before; then the outcome against what was given, so that it
 * is never worse. Throws what the given settings fail with.
 */
export async function search(options: SearchOptions): Promise<Tuning> {
  const { given, axes, maxMemoryMiB } = options;
  const stages: Stage[] = [];
  let best = given;
  let rate = 0;
  for (const axis of axes) {
    const candidates = axis.steps.map((step) => withRoom({ ...best, ...step }, 0, options));
    if (candidates.every((candidate) => isSameOn(axis, candidate, best))) continue;
    const comparison = await compare(
      best,
      candidates.filter((candidate) => !isSameOn(axis, candidate, best)),
      axis,
      {
        ...options,
        onMeasured: (it) => options.onMeasured?.(axis.title, axis.label(it.settings), it),
      },
    );
    const { results } = comparison;
    const chosen = choose(results, maxMemoryMiB);
    const reference = results.find(({ settings }) => settings === best) ?? chosen;
    stages.push({ axis, ...comparison, chosen, reference });
    best = chosen.settings;
    rate = chosen.imagesPerSecond;
  }
  const found = withRoom(best, rate, options);
  if (areSame(found, given)) return { given, chosen: given, stages, final: null };
  const final = await decide(found, options);
  const isBetter = final.gain.isSure || final.givenIsTooLarge;
  return { given, chosen: isBetter ? found : given, stages, final };
}

/** Only ever raised: what fetching takes is not measured here, and whoever set it may know. */
function withRoom(
  settings: Settings,
  imagesPerSecond: number,
  { devices, mayRaiseInFlight }: SearchOptions,
): Settings {
  if (!mayRaiseInFlight) return settings;
  const needed = inFlightFor(settings, devices, imagesPerSecond);
  return { ...settings, maxInFlight: Math.max(settings.maxInFlight, needed) };
}

function isSameOn({ names }: Axis, a: Settings, b: Settings): boolean {
  return names.every((name) => a[name] === b[name]);
}

async function decide(found: Settings, options: SearchOptions): Promise<Final> {
  const { given, measure, rounds, maxMemoryMiB, onMeasured } = options;
  const pairs: Pair[] = [];
  let givenMiB = 0;
  const run = async (name: 'given' | 'found', round: number): Promise<Measurement> => {
    const settings = name === 'given' ? given : found;
    const measurement = await measure(settings);
    onMeasured?.('in the end', name, { round, settings, measurement });
    return measurement;
  };
  for (let round = 1; round <= rounds * FINAL_FACTOR; round += 1) {
    // Each goes first in turn: what comes second may find the machine warmer.
    const order = round % 2 === 1 ? (['given', 'found'] as const) : (['found', 'given'] as const);
    const rates = { given: 0, found: 0 };
    for (const name of order) {
      const { imagesPerSecond, memoryMiB } = await run(name, round);
      rates[name] = imagesPerSecond;
      if (name === 'given') givenMiB = Math.max(givenMiB, memoryMiB ?? 0);
    }
    pairs.push({ given: rates.given, chosen: rates.found });
  }
  return { found, pairs, gain: gainOf(pairs), givenIsTooLarge: givenMiB > maxMemoryMiB };
}
