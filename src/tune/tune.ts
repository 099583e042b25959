import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { basename } from 'node:path';
import type { Environment } from '../config-env.ts';
import { variableOf } from '../config-env.ts';
import { loadConfig } from '../config.ts';
import type { ExecutionProvider } from '../model/clip-encoder.ts';
import { readModelFolder } from '../model/model-folder.ts';
import { resolveModel } from '../model/store.ts';
import { axesOf } from './axes.ts';
import { changesOf, type Change } from './reasons.ts';
import { search, type SearchOptions, type Tuning } from './search.ts';
import { configWith, PATHS, SETTING_NAMES, settingsOf, type SettingName } from './settings.ts';
import { runTrial } from './trial.ts';
import { writeSettings } from './write-settings.ts';

export interface TuneOptions {
  /** The configuration. */
  file: string;
  /** Absolute paths of images such as those to come. */
  images: readonly string[];
  /** What the service may take. @default three quarters of what this container, or this machine, has */
  maxMemoryMiB?: number | undefined;
  /** How long a trial is measured. */
  seconds: number;
  /** How often each candidate is measured. */
  rounds: number;
  signal: AbortSignal;
  onMeasured?: SearchOptions['onMeasured'];
  /** @default process.env */
  env?: Environment;
}

export interface Tuned extends Tuning {
  /** Where it was measured. */
  place: Place;
  maxMemoryMiB: number;
  /** Set by variables, and left alone. */
  fixed: Array<{ name: SettingName; variable: string }>;
  changes: Change[];
  /** The configuration with the changes in it. */
  yaml: string;
}

export interface Place {
  cpu: string;
  cores: number;
  model: string;
  executionProvider: ExecutionProvider;
}

/** So many images, evenly spread, stay in the page cache: it is not the disk that is measured. */
const MAX_IMAGES = 256;
/** The service takes some memory beside what a trial does, and peaks differ. */
const MEMORY_PART = 3 / 4;

/**
 * Finds the settings with which this machine is fastest with this model. Throws AppError `config_invalid`, `usage`
 * when no image can be inspected, `aborted`, or what the given configuration fails with.
 */
export async function tune(options: TuneOptions): Promise<Tuned> {
  const { file, seconds, rounds, signal, onMeasured, env = process.env } = options;
  const { config } = await loadConfig(file, env);
  const cores = availableParallelism();
  const { executionProvider, devices, path, precision } = config.model;
  const place = { cpu: cpuName(), cores, model: basename(path), executionProvider };
  const maxMemoryMiB = options.maxMemoryMiB ?? memoryHere() * MEMORY_PART;
  const fixed = SETTING_NAMES.flatMap((name) => {
    const variable = variableOf(PATHS[name]);
    return env[variable] === undefined ? [] : [{ name, variable }];
  });
  const fixedNames = new Set(fixed.map(({ name }) => name));
  const model = await readModelFolder(await resolveModel(path), precision);
  const given = settingsOf(config, model);
  const files = spread(options.images, MAX_IMAGES);

  const tuning = await search({
    given,
    axes: axesOf({ cores, executionProvider, given, fixed: fixedNames }),
    devices: executionProvider === 'cpu' ? 1 : devices.length,
    mayRaiseInFlight: !fixedNames.has('maxInFlight'),
    measure: (settings) =>
      runTrial({ config: configWith(config, settings), files, seconds }, signal),
    rounds,
    seconds,
    maxMemoryMiB,
    ...(onMeasured && { onMeasured }),
  });
  const changes = changesOf(tuning);
  const where = `${new Date().toISOString().slice(0, 10)}, ${describePlace(place)}`;
  const yaml = writeSettings(
    await readFile(file, 'utf8'),
    changes.map(({ name, value, why }) => ({
      path: PATHS[name],
      value,
      comment: `${where}: ${why}`,
    })),
  );
  return { ...tuning, place, maxMemoryMiB, fixed, changes, yaml };
}

/** `AMD EPYC, 2 cores, starter on cpu`. */
export function describePlace({ cpu, cores, model, executionProvider }: Place): string {
  return `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${model} on ${executionProvider}`;
}

function cpuName(): string {
  return cpus()[0]?.model.trim() ?? 'unknown CPU';
}

/** In MiB. Without a limit Node names one that is larger than any machine. */
function memoryHere(): number {
  return Math.min(process.constrainedMemory() || Infinity, totalmem()) / 2 ** 20;
}

function spread<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)] as T);
}
