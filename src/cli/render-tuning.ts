/** What tuning finds, as text. Pure: text in, text out. */
import type { Measurement, Result } from '../tune/choose.ts';
import type { Measured } from '../tune/compare.ts';
import type { Final, Stage } from '../tune/search.ts';
import { PATHS } from '../tune/settings.ts';
import { describePlace, type Tuned } from '../tune/tune.ts';
import { drawn, plainTable, plural } from './render.ts';

/** The line of one measurement: `decoders 2, round 1: 101 images/s, batches of 8.0 in 79 ms, 512 MiB`. */
export function renderMeasured(title: string, label: string, measured: Measured): string {
  const { round, measurement } = measured;
  const { batchSize, batchMs } = measurement;
  const batches = `batches of ${batchSize.toFixed(1)} in ${batchMs.toFixed(0)} ms`;
  const memory = measurement.memoryMiB === null ? [] : [`${memoryOf(measurement)} MiB`];
  const figures = [`${rateOf(measurement)} images/s`, batches, ...memory].join(', ');
  return `${title} ${label}, round ${round}: ${figures}`;
}

/** A table of all candidates, and what came of it; no line feed at the end. */
export function renderTuned(tuned: Tuned): string {
  const table = plainTable(['left', 'left', 'right', 'right', 'right', 'right', 'left']);
  table.push(['', '', 'images/s', 'rounds', 'batch ms', 'MiB', '']);
  for (const stage of tuned.stages) table.push(...rowsOf(stage));
  return [
    describePlace(tuned.place),
    drawn(table),
    ...tuned.fixed.map(
      ({ name, variable }) => `${PATHS[name].join('.')} is set by ${variable} and was left alone.`,
    ),
    conclusionOf(tuned),
    ...tuned.changes.map(({ name, value, why }) => `  ${PATHS[name].join('.')}: ${value}  ${why}`),
  ].join('\n');
}

function rowsOf({ axis, results, leftOut, chosen, reference }: Stage): string[][] {
  const measured = results
    .toSorted((a, b) => a.settings[axis.size] - b.settings[axis.size])
    .map((result) => {
      const marks = [
        result === chosen ? 'chosen' : '',
        result === reference && result !== chosen ? 'before' : '',
      ].join('');
      return [axis.label(result.settings), ...figuresOf(result), marks];
    });
  const others = leftOut.map(({ settings, why }) => [
    axis.label(settings),
    ...['', '', '', ''],
    `left out: ${why}`,
  ]);
  return [...measured, ...others].map((row, at) => [at === 0 ? axis.title : '', ...row]);
}

function figuresOf(result: Result): string[] {
  const rates = result.rounds.map(rateOf);
  return [rateOf(result), rates.join(' '), result.batchMs.toFixed(0), memoryOf(result)];
}

function conclusionOf({ final, given, chosen, stages, maxMemoryMiB }: Tuned): string {
  if (final === null) {
    const memoryMiB = Math.max(0, ...stages.map((stage) => stage.chosen.memoryMiB ?? 0));
    return memoryMiB > maxMemoryMiB
      ? `Nothing that was tried takes as little as ${maxMemoryMiB.toFixed(0)} MiB. The given configuration stays.`
      : 'The given configuration is the fastest that was found.';
  }
  const { gain, pairs } = final;
  const found =
    `In the end ${gain.ratio.toFixed(2)} times as fast as the given configuration ` +
    `(${listOf(pairs)} images/s; faster in ${gain.won} of ${plural(pairs.length, 'round')})`;
  if (chosen === given) return `${found}: no more than chance. The given configuration stays.`;
  if (gain.isSure) return `${found}:`;
  return `${found}, but the given one takes more memory than it may:`;
}

function listOf(pairs: Final['pairs']): string {
  return pairs.map(({ chosen, given }) => `${rate(chosen)} to ${rate(given)}`).join(', ');
}

function rateOf({ imagesPerSecond }: Pick<Measurement, 'imagesPerSecond'>): string {
  return rate(imagesPerSecond);
}

function rate(imagesPerSecond: number): string {
  return imagesPerSecond.toFixed(imagesPerSecond < 100 ? 1 : 0);
}

function memoryOf({ memoryMiB }: Pick<Measurement, 'memoryMiB'>): string {
  return memoryMiB === null ? '' : memoryMiB.toFixed(0);
}
