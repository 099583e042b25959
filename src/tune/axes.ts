/** What is tried, one dimension after the other. */
import type { ExecutionProvider } from '../model/clip-encoder.ts';
import type { SettingName, Settings } from './settings.ts';

export interface Axis {
  title: string;
  names: readonly SettingName[];
  /** The one of them that memory grows with. */
  size: SettingName;
  /** From small to large. */
  steps: ReadonlyArray<Partial<Settings>>;
  label: (settings: Settings) => string;
}

export interface AxesOptions {
  cores: number;
  executionProvider: ExecutionProvider;
  given: Settings;
  /** Set by variables, which win over any file: not to be changed. */
  fixed: ReadonlySet<SettingName>;
}

/** In the order in which they are tuned: what inference makes of the cores first, what feeds it last. */
export function axesOf({ cores, executionProvider, given, fixed }: AxesOptions): Axis[] {
  const isCpu = executionProvider === 'cpu';
  const axes: Axis[] = [
    {
      title: 'workers x threads',
      names: ['workers', 'threads'],
      size: 'workers',
      steps: isCpu ? shares(cores) : [1, 2, 4].map((workers) => ({ workers })),
      label: ({ workers, threads }) => `${workers} x ${threads}`,
    },
    {
      title: 'batch size',
      names: ['maxBatchSize'],
      size: 'maxBatchSize',
      steps: doublings(isCpu ? 1 : 4, isCpu ? 32 : 256).map((maxBatchSize) => ({ maxBatchSize })),
      label: ({ maxBatchSize }) => `${maxBatchSize}`,
    },
    {
      // Batching is greedy: under load a batch fills while others run, and no wait makes it any fuller.
      title: 'wait for a batch',
      names: ['maxWaitMs'],
      size: 'maxWaitMs',
      steps: given.maxWaitMs > 0 ? [{ maxWaitMs: 0 }] : [],
      label: ({ maxWaitMs }) => `${maxWaitMs} ms`,
    },
    {
      title: 'decoders',
      names: ['decoders'],
      size: 'decoders',
      steps: parts(cores).map((decoders) => ({ decoders })),
      label: ({ decoders }) => `${decoders}`,
    },
  ];
  const isFree = (step: Partial<Settings>): boolean =>
    [...fixed].every((name) => step[name] === undefined || step[name] === given[name]);
  return axes.map((axis) => ({ ...axis, steps: axis.steps.filter(isFree) }));
}

/** Workers of equal size on all cores, on half of them and on a quarter: decoding needs some too. */
function shares(cores: number): Array<Pick<Settings, 'workers' | 'threads'>> {
  return [cores, cores / 2, cores / 4]
    .filter(Number.isInteger)
    .flatMap((used) => divisors(used).map((workers) => ({ workers, threads: used / workers })))
    .sort((a, b) => a.workers - b.workers || a.threads - b.threads);
}

function divisors(whole: number): number[] {
  return Array.from({ length: whole }, (_, at) => at + 1).filter((part) => whole % part === 0);
}

function doublings(from: number, to: number): number[] {
  return from > to ? [] : [from, ...doublings(2 * from, to)];
}

/** A quarter, half, three quarters and all of the cores. */
function parts(cores: number): number[] {
  return [...new Set([1, 2, 3, 4].map((quarters) => Math.ceil((cores * quarters) / 4)))];
}
