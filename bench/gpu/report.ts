import Table from 'cli-table3';
import type { machine } from '../machine.ts';
import type { Spread } from '../statistics.ts';
import type { GpuBenchOptions } from './options.ts';

export interface Row {
  shape: string;
  precision: string;
  batch: number;
  /** Images a second, by contender. */
  rates: Record<string, Spread>;
  /** Of one image through the bare runtime, µs: copying to the device and back, and the rest of it. */
  copyUs: number;
  computeUs: number;
  /** Medians, over the bare runtime's. */
  ratios: Record<string, number>;
}

export interface GpuResults {
  machine: ReturnType<typeof machine>;
  options: GpuBenchOptions;
  command: string;
  notes: readonly string[];
  rows: readonly Row[];
}

export function notesOn({ provider, rounds, seconds }: GpuBenchOptions): string[] {
  return [
    ...(provider === 'cpu' ? ['DRY RUN on the CPU: not one figure below is of a GPU.'] : []),
    'Random weights in the shapes of CLIP: the speed of the published models, embeddings that mean nothing.',
    'bare: one session on one thread, its pixels already numbers in the right order. encoder: bytes in, embeddings out.',
    'copy: a graph that only hands a batch to the device and takes as much back, timed in the same rounds; ' +
      'compute: bare less copy. On the CPU nothing is copied.',
    `Images a second, medians of ${rounds} rounds of ${seconds} s in which all take turns (lowest–highest).`,
  ];
}

export function rowOf(
  what: Pick<Row, 'shape' | 'precision' | 'batch'>,
  measured: ReadonlyMap<string, Spread>,
): Row {
  const rates = Object.fromEntries(measured);
  const perImageUs = (name: string): number => 1e6 / (rates[name]?.median ?? NaN);
  const copyUs = perImageUs('copy');
  const encoders = [...measured].filter(([name]) => name.startsWith('encoder'));
  const bare = rates['bare']?.median ?? NaN;
  const ratios = Object.fromEntries(encoders.map(([name, { median }]) => [name, median / bare]));
  return { ...what, rates, copyUs, computeUs: perImageUs('bare') - copyUs, ratios };
}

export function render({ machine, command, notes, rows }: GpuResults): string {
  const encoders = Object.keys(rows[0]?.ratios ?? {});
  const table = new Table({
    head: ['', 'batch', 'bare', 'copy µs', 'compute µs', ...encoders.flatMap((n) => [n, '× bare'])],
    style: { head: [], border: [] },
    colAligns: ['left', ...Array<'right'>(4 + 2 * encoders.length).fill('right')],
  });
  for (const { shape, precision, batch, rates, copyUs, computeUs, ratios } of rows) {
    const show = (name: string): string => {
      const { median, min, max } = rates[name] ?? { median: NaN, min: NaN, max: NaN };
      return `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
    };
    table.push([
      `${shape} ${precision}`,
      batch,
      show('bare'),
      copyUs.toFixed(1),
      computeUs.toFixed(1),
      ...encoders.flatMap((name) => [show(name), (ratios[name] ?? NaN).toFixed(2)]),
    ]);
  }
  const { cpu, cores, memoryGiB, os, node, date } = machine;
  return [
    ...notes,
    table.toString(),
    `Machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB; ${os}; Node ${node}; ${date}.`,
    `Command: ${command}`,
  ].join('\n');
}
