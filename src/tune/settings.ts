/**
 * What `moderato tune` chooses: the keys that share a machine out between decoding and inference. This room runs the
 * real parts of the service on real images, in processes of their own; it knows no record, no policy and no Kafka.
 */
import { availableParallelism } from 'node:os';
import type { EmbedderConfig } from '../inspector.ts';
import { shareCores } from '../model/cores.ts';
import type { ModelFolder } from '../model/model-folder.ts';

/** Nothing is left to a default: no 0 stands for the cores. */
export interface Settings {
  workers: number;
  threads: number;
  maxBatchSize: number;
  maxWaitMs: number;
  decoders: number;
  maxInFlight: number;
}

export type SettingName = keyof Settings;

/** Where the configuration has each of them. */
export const PATHS: Readonly<Record<SettingName, readonly [section: string, key: string]>> = {
  workers: ['model', 'workers'],
  threads: ['model', 'threads'],
  maxBatchSize: ['batching', 'maxBatchSize'],
  maxWaitMs: ['batching', 'maxWaitMs'],
  decoders: ['images', 'decoders'],
  maxInFlight: ['pipeline', 'maxInFlight'],
};

export const SETTING_NAMES = Object.keys(PATHS) as SettingName[];

/** What a configuration comes to on this machine with this model. */
export function settingsOf(
  { model, batching, images, pipeline }: EmbedderConfig,
  folder: ModelFolder,
): Settings {
  return {
    ...shareCores(model, folder, model.executionProvider),
    maxBatchSize: batching.maxBatchSize,
    maxWaitMs: batching.maxWaitMs,
    decoders: images.decoders || availableParallelism(),
    maxInFlight: pipeline.maxInFlight,
  };
}

/** The configuration with the settings in place of its own, and only what an embedder takes of it. */
export function configWith(config: EmbedderConfig, settings: Settings): EmbedderConfig {
  const { workers, threads, maxBatchSize, maxWaitMs, decoders, maxInFlight } = settings;
  return {
    model: { ...config.model, workers, threads },
    batching: { maxBatchSize, maxWaitMs },
    images: { ...config.images, decoders },
    pipeline: { ...config.pipeline, maxInFlight },
  };
}

export function areSame(a: Settings, b: Settings): boolean {
  return SETTING_NAMES.every((name) => a[name] === b[name]);
}

/** Fetching the image of an event and having its verdict acknowledged, in seconds: what tuning does not run. */
const BESIDE_SECONDS = 0.1;

/**
 * Events in flight that keep every decoder and every batch full, on so many devices: one in each place and one that
 * waits for it. By Little's law (Little, 1961) those that are being fetched or acknowledged come on top, at so many
 * images a second.
 */
export function inFlightFor(settings: Settings, devices: number, imagesPerSecond: number): number {
  const { decoders, workers, maxBatchSize } = settings;
  const places = decoders + devices * workers * maxBatchSize;
  return 2 * places + Math.ceil(imagesPerSecond * BESIDE_SECONDS);
}
