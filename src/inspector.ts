import { availableParallelism } from 'node:os';
import type { Clock } from './clock.ts';
import type { CacheFault, EmbeddingCache } from './cache/embedding-cache.ts';
import { createEmbeddingCache } from './cache/create-cache.ts';
import type { Config, Secrets } from './config-schema.ts';
import type { DecoderSettings } from './images/decoder-messages.ts';
import { createDecoderPool, type DecoderPool } from './images/decoder-pool.ts';
import type { Pixels, PreprocessSpec, ViewSettings } from './images/image-decoder.ts';
import { viewsVersion } from './images/preprocessing-version.ts';
import { noLogger, type Logger } from './logger.ts';
import { Batcher } from './model/batcher.ts';
import type { ClipEncoder, EncodedImage, EncoderInfo } from './model/clip-encoder.ts';
import { readModelFolder } from './model/model-folder.ts';
import { resolveModel } from './model/store.ts';
import { createWorkerClipEncoder } from './model/worker-clip-encoder.ts';
import type { Telemetry } from './observability/telemetry.ts';
import { loadBundle } from './policies/load-bundle.ts';
import { embedBundle, type EmbeddedBundle } from './policies/prompt-embeddings.ts';

export type InspectorConfig = EmbedderConfig & Pick<Config, 'policies' | 'dedupe'>;

/** What judges images, wherever they come from and their verdicts go: model, policies and decoder processes. */
export interface Inspector {
  /** Its preprocessing is the whole way from bytes to views. */
  encoder: EncoderInfo;
  bundle: EmbeddedBundle;
  images: DecoderPool;
  batcher: Batcher<Pixels, EncodedImage>;
  cache: EmbeddingCache;
  /** Ends the decoder processes and the inference threads, and lets go of what was kept. */
  close(): Promise<void>;
}

export type EmbedderConfig = Pick<Config, 'model' | 'batching' | 'images' | 'pipeline'>;

/** The part of an inspector that works as hard as the machine can: from encoded images to embeddings. */
export interface Embedder {
  encoder: ClipEncoder;
  /** How much of an image the decoders look at. */
  views: ViewSettings;
  images: DecoderPool;
  batcher: Batcher<Pixels, EncodedImage>;
  /** Ends the decoder processes and the inference threads. */
  close(): Promise<void>;
}

export interface InspectorParts {
  clock: Clock;
  telemetry: Telemetry;
  /** For the shared store of inspected images, and for the choice of frames. @default none */
  secrets?: Secrets;
  /** @default nobody is told */
  logger?: Logger;
  /** In place of the decoder processes; closed with the inspector. */
  images?: DecoderPool | undefined;
  /** In place of the inference thread; closed with the inspector. */
  encoder?: ClipEncoder | undefined;
}

/**
 * Loads the model and the policies and starts the processes. Throws AppError `bundle_invalid`, or what
 * `createEmbedder` throws; nothing is then left running.
 */
export async function createInspector(
  config: InspectorConfig,
  parts: InspectorParts,
): Promise<Inspector> {
  const { clock, telemetry, secrets = {}, logger = noLogger } = parts;
  await using started = new AsyncDisposableStack();
  const policies = await loadBundle(config.policies);
  const { encoder, views, images, batcher } = started.adopt(
    await createEmbedder(config, parts),
    (embedder) => embedder.close(),
  );
  const bundle = await embedBundle(policies, encoder);
  await encoder.usePrompts(bundle.matrix);

  const info = {
    ...encoder.info,
    preprocessing: viewsVersion(encoder.info.preprocessing, views, secrets.frameKey),
  };
  const { hash: modelHash, dimensions, preprocessing } = info;
  const space = { modelHash, dimensions, preprocessing };
  const onFault = (fault: CacheFault): void => telemetry.cacheFailed(fault);
  const cache = started.adopt(
    createEmbeddingCache(config.dedupe, secrets, { space, clock, logger, onFault }),
    (it) => it.close(),
  );

  const running = started.move();
  const close = (): Promise<void> => running.disposeAsync();
  return { encoder: info, bundle, images, batcher, cache, close };
}

/**
 * Loads the model and starts the processes. Throws AppError `model_not_found`, `model_invalid`, `model_corrupt`,
 * `model_mismatch` or `provider_unavailable`; nothing is then left running.
 */
export async function createEmbedder(
  config: EmbedderConfig,
  parts: Omit<InspectorParts, 'logger'>,
): Promise<Embedder> {
  const { clock, telemetry } = parts;
  await using started = new AsyncDisposableStack();
  const model = await readModelFolder(
    await resolveModel(config.model.path),
    config.model.precision,
  );

  const decoding = decoderSettingsOf(config.images, model.preprocess);
  const images = started.adopt(
    parts.images ??
      createDecoderPool({
        ...decoding,
        processes: config.images.decoders || availableParallelism(),
        frameKey: parts.secrets?.frameKey,
        timeoutMs: config.images.decodeTimeoutMs,
        memoryBytes: config.images.decoderMemoryBytes,
      }),
    (pool) => pool.close(),
  );
  const encoder = started.adopt(
    parts.encoder ??
      (await createWorkerClipEncoder({
        model,
        graph: config.model.graph,
        executionProvider: config.model.executionProvider,
        devices: config.model.devices,
        workers: config.model.workers,
        threads: config.model.threads,
        timeoutMs: config.model.timeoutMs,
        maxBatchSize: config.batching.maxBatchSize,
      })),
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
    concurrency: encoder.concurrency,
    clock,
    onBatch: (size, ms) => telemetry.batchInferred(size, maxBatchSize, ms),
  });

  const running = started.move();
  const close = (): Promise<void> => running.disposeAsync();
  return { encoder, views: decoding.views, images, batcher, close };
}

/** What a decoder process is told of the configuration. */
export function decoderSettingsOf(
  images: Config['images'],
  preprocess: PreprocessSpec,
): DecoderSettings {
  const { formats, maxPixels, maxEdge, maxFrames, ...rest } = images;
  const { sampledFrames, views: looks, tiles, damaged } = rest;
  const views = { sampledFrames, looks, tiles, damaged };
  return { preprocess, formats, maxPixels, maxEdge, maxFrames, views };
}
