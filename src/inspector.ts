import { availableParallelism } from 'node:os';
import type { Clock } from './clock.ts';
import type { CacheFault, EmbeddingCache } from './cache/embedding-cache.ts';
import { createEmbeddingCache } from './cache/create-cache.ts';
import type { Config, Secrets } from './config-schema.ts';
import type { DecoderSettings } from './images/decoder-messages.ts';
import { createDecoderPool, type DecoderPool } from './images/decoder-pool.ts';
import type { Pixels, PreprocessSpec } from './images/image-decoder.ts';
import { viewsVersion } from './images/preprocessing-version.ts';
import { noLogger, type Logger } from './logger.ts';
import { Batcher } from './model/batcher.ts';
import type { EncodedImage, EncoderInfo } from './model/clip-encoder.ts';
import { readModelFolder } from './model/model-folder.ts';
import { resolveModel } from './model/store.ts';
import { createWorkerClipEncoder } from './model/worker-clip-encoder.ts';
import type { Telemetry } from './observability/telemetry.ts';
import { loadBundle } from './policies/load-bundle.ts';
import { embedBundle, type EmbeddedBundle } from './policies/prompt-embeddings.ts';

export type InspectorConfig = Pick<
  Config,
  'policies' | 'model' | 'batching' | 'images' | 'dedupe' | 'pipeline'
>;

/** What judges images, wherever they come from and their verdicts go: model, policies and decoder processes. */
export interface Inspector {
  encoder: EncoderInfo;
  bundle: EmbeddedBundle;
  images: DecoderPool;
  batcher: Batcher<Pixels, EncodedImage>;
  cache: EmbeddingCache;
  /** Ends the decoder processes and the inference thread, and lets go of what was kept. */
  close(): Promise<void>;
}

export interface InspectorParts {
  clock: Clock;
  telemetry: Telemetry;
  /** For the shared store of inspected images. @default none */
  secrets?: Secrets;
  /** @default nobody is told */
  logger?: Logger;
}

/**
 * Loads the model and the policies and starts the processes. Throws AppError `bundle_invalid`,
 * `model_not_found`, `model_invalid`, `model_corrupt`, `model_mismatch` or `provider_unavailable`; nothing is
 * then left running.
 */
export async function createInspector(
  config: InspectorConfig,
  parts: InspectorParts,
): Promise<Inspector> {
  const { clock, telemetry, secrets = {}, logger = noLogger } = parts;
  await using started = new AsyncDisposableStack();
  const policies = await loadBundle(config.policies);
  const model = await readModelFolder(
    await resolveModel(config.model.path),
    config.model.precision,
  );

  const decoding = decoderSettingsOf(config.images, model.preprocess);
  const images = started.adopt(
    createDecoderPool({
      ...decoding,
      processes: config.images.decoders || availableParallelism(),
      timeoutMs: config.images.decodeTimeoutMs,
      memoryBytes: config.images.decoderMemoryBytes,
    }),
    (pool) => pool.close(),
  );
  const encoder = started.adopt(
    await createWorkerClipEncoder({
      model,
      graph: config.model.graph,
      executionProvider: config.model.executionProvider,
      deviceId: config.model.deviceId,
      threads: config.model.threads,
      timeoutMs: config.model.timeoutMs,
      maxBatchSize: config.batching.maxBatchSize,
    }),
    (thread) => thread.close(),
  );
  const bundle = await embedBundle(policies, encoder);
  await encoder.usePrompts(bundle.matrix);

  const { hash: modelHash, dimensions, preprocessing } = encoder.info;
  const space = {
    modelHash,
    dimensions,
    preprocessing: viewsVersion(preprocessing, decoding.views),
  };
  const onFault = (fault: CacheFault): void => telemetry.cacheFailed(fault);
  const cache = started.adopt(
    createEmbeddingCache(config.dedupe, secrets, { space, clock, logger, onFault }),
    (it) => it.close(),
  );

  const { width, height } = model.preprocess;
  const black: Pixels = { data: new Uint8Array(width * height * 3), width, height };
  const { maxBatchSize, maxWaitMs } = config.batching;
  const batcher = new Batcher<Pixels, EncodedImage>({
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
  const close = (): Promise<void> => running.disposeAsync();
  return { encoder: encoder.info, bundle, images, batcher, cache, close };
}

/** What a decoder process is told of the configuration. */
export function decoderSettingsOf(
  images: Config['images'],
  preprocess: PreprocessSpec,
): DecoderSettings {
  const { formats, maxPixels, maxEdge, maxFrames, sampledFrames, tiles, truncated } = images;
  const views = { sampledFrames, tiles, truncated };
  return { preprocess, formats, maxPixels, maxEdge, maxFrames, views };
}
