import { AppError } from '../errors.ts';
import type { Pixels } from '../images/image-decoder.ts';
import type {
  ClipEncoder,
  EncodedImage,
  EncoderInfo,
  ExecutionProvider,
  UnitVector,
} from './clip-encoder.ts';
import { shareCores } from './cores.ts';
import { startEncoderThread, type EncoderThread } from './encoder-thread.ts';
import {
  checkGolden,
  checkSimilarities,
  createGoldenCache,
  GOLDEN_TEXT,
  loosened,
  type Golden,
  type GoldenCache,
  type GoldenOutcome,
} from './golden.ts';
import { readModelFolder, type ModelFolder } from './model-folder.ts';
import type { Precision } from './precision.ts';
import { cacheFolder, preparedFolder } from './store.ts';

export interface WorkerClipEncoderOptions {
  /** A model folder (see `resolveModel`), or one already read. */
  model: string | ModelFolder;
  /** Of a folder that is yet to be read. @default 'fp32' */
  precision?: Precision;
  /** @default 'cpu' */
  executionProvider?: ExecutionProvider;
  /** What surrounds the vision tower: part of its graph, or computed before and after it. @default 'prepared' */
  graph?: 'prepared' | 'plain';
  /** Where prepared graphs are kept. @default `prepared` in the cache folder */
  preparedFolder?: string;
  /** Which GPUs. @default [0] */
  devices?: readonly number[];
  /** Inferences that run at once, on each GPU or on the CPU; 0: see `shareCores`. @default 1 */
  workers?: number;
  /** Threads of one inference on the CPU; 0: the cores are shared out among the workers. @default 0 */
  threads?: number;
  /** Memory is set aside for this many images; a larger batch sets aside more when it comes. @default 16 */
  maxBatchSize?: number;
  /** How long the text tower stays in memory after its last use, in ms. @default 2000 */
  textIdleMs?: number;
  /** How long one inference may take, in ms, before the device is taken for hung. @default 120000 */
  timeoutMs?: number;
  /** Where golden embeddings of models that ship none are kept. */
  goldenCache?: GoldenCache;
  /** Starts one worker, for tests. @default startEncoderThread */
  startThread?: typeof startEncoderThread;
}

export interface WorkerClipEncoder extends ClipEncoder {
  /** How the golden embeddings were checked before the encoder was handed out. */
  readonly golden: GoldenOutcome;
}

/**
 * A `ClipEncoder` whose inference runs in worker threads, each with a session of its own. It is handed out only
 * after the graphs fitted the folder and every worker met the golden embeddings.
 *
 * Throws AppError `model_not_found`, `model_invalid`, `model_corrupt`, `model_mismatch`,
 * `provider_unavailable` or `encoder_failed`. Close it when done.
 */
export async function createWorkerClipEncoder(
  options: WorkerClipEncoderOptions,
): Promise<WorkerClipEncoder> {
  const model =
    typeof options.model === 'string'
      ? await readModelFolder(options.model, options.precision)
      : options.model;
  const executionProvider = options.executionProvider ?? 'cpu';
  const goldenCache = options.goldenCache ?? createGoldenCache(cacheFolder());
  const devices = executionProvider === 'cpu' ? [0] : (options.devices ?? [0]);
  const { startThread = startEncoderThread } = options;
  const wanted = { workers: options.workers ?? 1, threads: options.threads ?? 0 };
  const { workers, threads } = shareCores(wanted, model, executionProvider);
  const start = (
    provider: ExecutionProvider,
    deviceId: number,
    goldenText: string | null,
  ): Promise<EncoderThread> =>
    startThread(
      {
        model,
        runtime: { executionProvider: provider, deviceId, threads },
        graph: options.graph ?? 'prepared',
        preparedFolder: options.preparedFolder ?? preparedFolder(),
        maxBatchSize: options.maxBatchSize ?? 16,
        textIdleMs: options.textIdleMs ?? 2_000,
        goldenText,
      },
      { timeoutMs: options.timeoutMs },
    );

  const known = model.golden ?? (await goldenCache.read(model.hash));
  const started: EncoderThread[] = [];
  try {
    // One after the other: the memory that loading takes is not taken twice at once.
    for (const device of devices.flatMap((id) => Array<number>(workers).fill(id))) {
      // Texts go to the first.
      const goldenText = started.length === 0 ? (known?.text ?? GOLDEN_TEXT) : null;
      started.push(await start(executionProvider, device, goldenText));
    }
    const golden = await meetGolden({
      known,
      own: started.map((thread) => thread.golden),
      model,
      executionProvider,
      goldenCache,
      onCpu: async () => {
        const reference = await start('cpu', 0, GOLDEN_TEXT);
        await reference.close();
        return reference.golden;
      },
    });
    return encoderOver(started, model, executionProvider, golden);
  } catch (error) {
    await Promise.all(started.map((thread) => thread.close()));
    throw error;
  }
}

/** What the CPU computes is the reference of every other provider; where nothing is known, it is computed now. */
async function meetGolden(options: {
  known: Golden | null;
  /** What each worker makes of the golden image and text. */
  own: readonly Golden[];
  model: ModelFolder;
  executionProvider: ExecutionProvider;
  goldenCache: GoldenCache;
  onCpu: () => Promise<Golden>;
}): Promise<GoldenOutcome> {
  const { known, own, model, executionProvider, goldenCache, onCpu } = options;
  const reference = known ?? (executionProvider === 'cpu' ? own[0] : undefined) ?? (await onCpu());
  const expected = loosened(reference, model.precision);
  const drifts = own.map((each, worker) =>
    checkGolden(expected, each, model.id, executionProvider, worker === 0 ? undefined : ['image']),
  );
  const drift = {
    image: Math.max(...drifts.map(({ image }) => image)),
    text: Math.max(...drifts.map(({ text }) => text)),
  };
  if (known) return { state: 'matched', drift };
  const kept = await goldenCache.write(model.hash, reference);
  return { state: kept ? 'recorded' : 'unrecorded', drift };
}

function encoderOver(
  threads: readonly EncoderThread[],
  model: ModelFolder,
  executionProvider: ExecutionProvider,
  golden: GoldenOutcome,
): WorkerClipEncoder {
  const { preprocess } = model;
  const imageBytes = preprocess.width * preprocess.height * 3;
  const [first] = threads;
  if (first === undefined) throw new RangeError('an encoder has a worker at least');
  const dimensions = first.golden.imageEmbedding.length;
  const info: EncoderInfo = {
    id: model.id,
    hash: model.hash,
    executionProvider,
    dimensions,
    preprocess,
    preprocessing: model.preprocessing,
    scoring: model.scoring,
  };
  const idle: SharedArrayBuffer[] = [];

  const encodeImages = async (batch: readonly Pixels[]): Promise<EncodedImage[]> => {
    if (batch.length === 0) return [];
    // Copied rather than transferred: a failing batch is tried again image by image.
    const shared = takeShared(idle, batch.length * imageBytes);
    try {
      const bytes = new Uint8Array(shared);
      batch.forEach((pixels, index) => {
        checkSize(pixels, preprocess);
        bytes.set(pixels.data, index * imageBytes);
      });
      const request = { kind: 'images', pixels: shared, count: batch.length } as const;
      const { embeddings, similarities } = await leastBusy(threads).ask(request);
      const vectors = split(embeddings, batch.length, dimensions);
      const prompts = (similarities?.length ?? 0) / batch.length;
      return vectors.map((embedding, row) => ({
        embedding,
        similarities: similarities?.subarray(row * prompts, (row + 1) * prompts) ?? null,
      }));
    } finally {
      idle.push(shared);
    }
  };

  return {
    info,
    concurrency: threads.length,
    golden,
    usePrompts: async (prompts) => {
      for (const thread of threads) {
        const encoded = await thread.ask({ kind: 'prompts', prompts });
        checkSimilarities(encoded, prompts, dimensions, `${model.id} on ${executionProvider}`);
      }
    },
    encodeImages,
    encodeTexts: async (texts) =>
      texts.length === 0
        ? []
        : split((await first.ask({ kind: 'texts', texts })).embeddings, texts.length, dimensions),
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

function leastBusy(threads: readonly EncoderThread[]): EncoderThread {
  return threads.reduce((best, thread) => (thread.pending < best.pending ? thread : best));
}

/** Memory that no running call uses, so that steady traffic allocates none. */
function takeShared(idle: SharedArrayBuffer[], size: number): SharedArrayBuffer {
  const free = idle.pop();
  return free && free.byteLength >= size ? free : new SharedArrayBuffer(size);
}

function checkSize(pixels: Pixels, wanted: { width: number; height: number }): void {
  const { width, height, data } = pixels;
  if (width === wanted.width && height === wanted.height && data.length === width * height * 3) {
    return;
  }
  throw new AppError(
    'inference_failed',
    `encoding an image of ${width}×${height} and ${data.length} bytes: the model takes RGB pixels of ` +
      `${wanted.width}×${wanted.height}, ${wanted.width * wanted.height * 3} bytes`,
  );
}

function split(embeddings: Float32Array, count: number, dimensions: number): UnitVector[] {
  if (embeddings.length !== count * dimensions) {
    throw new AppError(
      'inference_failed',
      `reading the embeddings of a batch of ${count}: got ${embeddings.length} numbers, expected ${count} × ${dimensions}`,
    );
  }
  // Copies, so that keeping one embedding does not keep its batch.
  return Array.from({ length: count }, (_, row) =>
    embeddings.slice(row * dimensions, (row + 1) * dimensions),
  );
}
