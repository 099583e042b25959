import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ExecutionProvider } from './clip-encoder.ts';
import type { ModelFolder } from './model-folder.ts';

/** As the configuration has them; 0: to be found. */
export interface Parallelism {
  /** Inferences at once, on each GPU or on the CPU. */
  workers: number;
  /** Threads of one inference on the CPU. */
  threads: number;
}

type Weights = Pick<ModelFolder, 'path' | 'files' | 'graphs'>;

/** More are a matter of measuring: `moderato tune`. */
const MOST_WORKERS = 4;
/** What the copies of the vision tower's weights may take together, in bytes. */
const MOST_WEIGHTS = 512 * 1024 * 1024;

/**
 * Neither is 0 afterwards. Several inferences of few threads are faster than one of many, whose threads wait for each
 * other while decoders want the cores; but each holds the weights. A GPU has one.
 */
export function shareCores(
  { workers, threads }: Parallelism,
  model: Weights,
  executionProvider: ExecutionProvider,
  cores = availableParallelism(),
): Parallelism {
  const fitting =
    executionProvider === 'cpu'
      ? Math.min(cores / (threads || 1), MOST_WORKERS, MOST_WEIGHTS / visionBytes(model))
      : 1;
  const shared = workers || Math.max(1, Math.floor(fitting));
  return { workers: shared, threads: threads || Math.max(1, Math.floor(cores / shared)) };
}

function visionBytes({ path, files, graphs }: Weights): number {
  return files
    .filter(({ name }) => join(path, name).startsWith(graphs.vision)) // with weights in a file beside it
    .reduce((sum, { bytes }) => sum + bytes, 0);
}
