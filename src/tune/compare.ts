import { AppError, type ErrorCode } from '../errors.ts';
import type { Axis } from './axes.ts';
import { contenders, forecast, resultOf, type Measurement, type Result } from './choose.ts';
import { areSame, type Settings } from './settings.ts';

export interface CompareOptions {
  /** Throws AppError; `trial_failed`, `encoder_failed` and `inference_failed` cost the candidate only. */
  measure: (settings: Settings) => Promise<Measurement>;
  rounds: number;
  maxMemoryMiB: number;
  /** Of a trial; a batch that takes longer cannot be measured in it. */
  seconds: number;
  onMeasured?: (measured: Measured) => void;
}

export interface Measured {
  /** From 1. */
  round: number;
  settings: Settings;
  measurement: Measurement;
}

/** A candidate that was not tried, or whose trial failed. */
export interface LeftOut {
  settings: Settings;
  why: string;
}

export interface Comparison {
  results: Result[];
  leftOut: LeftOut[];
}

/** What a candidate may fail with; everything else is wrong with all of them. */
const OWN_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'trial_failed',
  'encoder_failed',
  'inference_failed',
]);

/**
 * Measures `reference` and every other candidate once a round, so that a slow minute strikes them all. Candidates
 * that would take too much are not tried, those that are far behind not again. Throws what `reference` fails with.
 */
export async function compare(
  reference: Settings,
  others: readonly Settings[],
  axis: Pick<Axis, 'size'>,
  options: CompareOptions,
): Promise<Comparison> {
  const { measure, rounds, maxMemoryMiB, onMeasured } = options;
  const measured = new Map<Settings, Measurement[]>([[reference, []]]);
  for (const settings of others) if (!areSame(settings, reference)) measured.set(settings, []);
  const leftOut: LeftOut[] = [];
  const leaveOut = (settings: Settings, why: string): void => {
    measured.delete(settings);
    leftOut.push({ settings, why });
  };
  const results = (): Result[] =>
    [...measured].flatMap(([settings, all]) => (all.length > 0 ? resultOf(settings, all) : []));

  let inPlay: Settings[] = [...measured.keys()];
  for (let round = 1; round <= rounds; round += 1) {
    for (const settings of inPlay) {
      const why = round === 1 ? tooMuch(settings, results(), axis, options) : null;
      if (why !== null) {
        leaveOut(settings, why);
        continue;
      }
      try {
        const measurement = await measure(settings);
        measured.get(settings)?.push(measurement);
        onMeasured?.({ round, settings, measurement });
      } catch (error) {
        if (settings === reference || !isOwnFault(error)) throw error;
        leaveOut(settings, error.message);
      }
    }
    const worthIt = new Set(contenders(results(), maxMemoryMiB).map(({ settings }) => settings));
    inPlay = inPlay.filter((settings) => settings === reference || worthIt.has(settings));
  }
  return { results: results(), leftOut };
}

function isOwnFault(error: unknown): error is AppError {
  return error instanceof AppError && OWN_FAULTS.has(error.code);
}

/** Why a candidate is not tried: what the others came to says that it takes too much, or is no different. */
function tooMuch(
  settings: Settings,
  others: readonly Result[],
  { size }: Pick<Axis, 'size'>,
  { maxMemoryMiB, seconds }: CompareOptions,
): string | null {
  const memory = others.flatMap(({ settings: other, memoryMiB }) =>
    memoryMiB === null ? [] : { size: other[size], value: memoryMiB },
  );
  const memoryMiB = forecast(memory, settings[size]);
  if (memoryMiB !== null && memoryMiB > maxMemoryMiB) {
    return `would take about ${Math.round(memoryMiB)} MiB of ${Math.round(maxMemoryMiB)}`;
  }
  return size === 'maxBatchSize' ? tooLarge(settings, others, seconds) : null;
}

function tooLarge(
  { maxBatchSize }: Settings,
  others: readonly Result[],
  seconds: number,
): string | null {
  const smaller = others.filter(({ settings }) => settings.maxBatchSize < maxBatchSize);
  const slack = smaller.find(({ settings, batchSize }) => batchSize < settings.maxBatchSize / 2);
  if (slack) return `batches of ${slack.settings.maxBatchSize} were not even half full`;
  const times = smaller.map(({ settings, batchMs }) => ({
    size: settings.maxBatchSize,
    value: batchMs,
  }));
  const batchMs = forecast(times, maxBatchSize);
  if (batchMs === null || batchMs <= seconds * 1000) return null;
  return `a batch would take about ${(batchMs / 1000).toFixed(1)} s; more --seconds measure it`;
}
