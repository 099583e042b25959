import { availableParallelism } from 'node:os';
import type { Clock } from './clock.ts';
import type { Config } from './config-schema.ts';
import { createDecoderPool, type DecoderPool } from './images/decoder-pool.ts';
import type { Pixels } from './images/image-decoder.ts';
import { Batcher } from './model/batcher.ts';
import type { EncoderInfo, UnitVector } from './model/clip-encoder.ts';
import { readModelFolder } from './model/model-folder.ts';
import { resolveModel } from './model/store.ts';
import { createWorkerClipEncoder } from './model/worker-clip-encoder.ts';
import type { Telemetry } from './observability/telemetry.ts';
import { loadBundle } from './policies/load-bundle.ts';
import { embedBundle, type EmbeddedBundle } from './policies/prompt-embeddings.ts';

export type InspectorConfig = Pick<
  Config,
  'policies' | 'model' | 'batching' | 'images' | 'pipeline'
>;

/** What judges images, wherever they come from and their verdicts go: model, policies and decoder processes. */
export interface Inspector {
  encoder: EncoderInfo;
  bundle: EmbeddedBundle;
  images: DecoderPool;
  batcher: Batcher<Pixels, UnitVector>;
  /** Ends the decoder processes and the inference thread. */
  close(): Promise<void>;
}

/**
 * Loads the model and the policies and starts the processes. Throws AppError `bundle_invalid`,
 * `model_not_found`, `model_invalid`, `model_corrupt`, `model_mismatch` or `provider_unavailable`; nothing is
 * then left running.
 */
export async function createInspector(
  config: InspectorConfig,
  { clock, telemetry }: { clock: Clock; telemetry: Telemetry },
): Promise<Inspector> {
  await using started = new AsyncDisposableStack();
  const policies = await loadBundle(config.policies);
  const model = await readModelFolder(await resolveModel(config.model.path));

  const images = started.adopt(
    createDecoderPool({
      preprocess: model.preprocess,
      processes: config.images.decoders || availableParallelism(),
      timeoutMs: config.images.decodeTimeoutMs,
      memoryBytes: config.images.decoderMemoryBytes,
      maxPixels: config.images.maxPixels,
      maxEdge: config.images.maxEdge,
      maxFrames: config.images.maxFrames,
    }),
    (pool) => pool.close(),
  );
  const encoder = started.adopt(
    await createWorkerClipEncoder({
      model,
      executionProvider: config.model.executionProvider,
      deviceId: config.model.deviceId,
      threads: config.model.threads,
      timeoutMs: config.model.timeoutMs,
      maxBatchSize: config.batching.maxBatchSize,
    }),
    (thread) => thread.close(),
  );
  const bundle = await embedBundle(policies, encoder);

  const { width, height } = model.preprocess;
  const black: Pixels = { data: new Uint8Array(width * height * 3), width, height };
  const { maxBatchSize, maxWaitMs } = config.batching;
  const batcher = new Batcher<Pixels, UnitVector>({
    run: (batch) => encoder.encodeImages(batch),
    probe: async () => {
      await encoder.encodeImages([black]);
    },
    maxBatchSize,
    maxWaitMs,
    maxQueued: config.pipeline.maxInFlight,
    clock,
    onBatch: (size, ms) => telemetry.batchInferred(size, maxBatchSize, ms),
  });

  const running = started.move();
  return { encoder: encoder.info, bundle, images, batcher, close: () => running.disposeAsync() };
}
