import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { warmUpBroker } from './broker-warm-up.ts';
import { eventMaker, fill } from './image-events.ts';
import { lazy } from './lazy.ts';
import type { BenchOptions } from './options.ts';
import { preparePhotos, prepareThumbnails, type Photos } from './photos.ts';
import {
  newTopic,
  openStage,
  PARTITIONS,
  WARM_UP,
  writeConfig,
  type Backlog,
  type Settings,
  type Stage,
} from './stage.ts';
import { prepareTinyModel } from './tiny-model.ts';

const MANY_SMALL = { full: 100_000, smoke: 2_000 };

/** What the rows share. Each part is made when a row first needs it. */
export interface Setup extends AsyncDisposable {
  options: BenchOptions;
  photos: Photos;
  /** Of whatever is written; removed in the end. */
  folder: string;
  say: (line: string) => void;
  /** Throws AppError `kafka_unavailable`. */
  stage(): Promise<Stage>;
  /** As many events of photos as a run takes, those that warm up included, in JSON. */
  backlog(): Promise<Backlog>;
  /** So many events of thumbnails that they last a while at any rate, in Avro. */
  manySmall(): Promise<Backlog>;
  /** The photos at about 1 kB. */
  thumbnails(): Promise<readonly string[]>;
  /** The folder of a real CLIP export with random weights. */
  tinyModel(): Promise<string>;
}

export async function createSetup(
  options: BenchOptions,
  say: (line: string) => void,
): Promise<Setup> {
  const folder = await mkdtemp(join(tmpdir(), 'moderato-bench-'));
  const open = new AsyncDisposableStack();
  open.defer(() => rm(folder, { recursive: true, force: true }));
  const photos = await preparePhotos(join(folder, 'photos'));
  const setup: Setup = {
    options,
    photos,
    folder,
    say,
    stage: lazy(async () => {
      const stage = open.use(await openStage(photos, folder, say));
      if (!options.smoke) await warmUpBroker(stage);
      return stage;
    }),
    backlog: lazy(() =>
      newBacklog(setup, { events: options.events + WARM_UP, files: photos.files, format: 'json' }),
    ),
    manySmall: lazy(async () =>
      newBacklog(setup, {
        events: options.smoke ? MANY_SMALL.smoke : MANY_SMALL.full,
        files: await setup.thumbnails(),
        format: 'avro',
      }),
    ),
    thumbnails: lazy(() => prepareThumbnails(join(folder, 'thumbnails'), photos)),
    tinyModel: lazy(() => prepareTinyModel(folder)),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
  return setup;
}

export interface BacklogShape {
  events: number;
  /** Their images, which take turns. */
  files: readonly string[];
  format: 'json' | 'avro';
  partitions?: number;
}

/** A topic filled with image events. */
export async function newBacklog(setup: Setup, shape: BacklogShape): Promise<Backlog> {
  const { events, files, format, partitions = PARTITIONS } = shape;
  const stage = await setup.stage();
  const topic = await newTopic(stage, 'events', { partitions });
  const backlog: Backlog = { topic, partitions, events: 0 };
  await fill(stage.kafka, backlog, { events, make: await eventMaker(files, format) });
  setup.say(`filled a topic with ${events.toLocaleString('en')} image events in ${format}`);
  return backlog;
}

/** The configuration of what needs no Kafka. */
export function configWithoutKafka({ folder }: Setup, settings: Settings = {}): Promise<string> {
  const nowhere = { input: 'none', verdicts: 'no-verdicts', deadLetters: 'no-letters' };
  return writeConfig({ brokers: ['127.0.0.1:9'], folder }, nowhere, settings);
}
