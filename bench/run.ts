/** `npm run bench`: how fast the service is, what its parts could do, and what is written today instead. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../src/errors.ts';
import { machine } from './machine.ts';
import { installPeer, runNaive } from './naive.ts';
import { parseOptions, type BenchOptions, type Part } from './options.ts';
import { preparePhotos, prepareThumbnails, type Photos } from './photos.ts';
import { optionsOf, ratiosOf, rowOf, type BacklogRow, type Results, type Row } from './results.ts';
import {
  fill,
  newTopic,
  openStage,
  WARM_UP,
  writeConfig,
  type Backlog,
  type Settings,
  type Stage,
} from './stage.ts';
import { renderResults } from './table.ts';
import { prepareTinyModel } from './tiny-model.ts';
import type { Measurement, Trial, TrialName } from './trial.ts';
import { runChild, runService } from './trials.ts';

const LONG_BACKLOG = 5;
/** So many times the events of the other rows: each is over sooner. */
const MORE_SMALL = 5;
/** The first of each group is compared with the others. */
const COMPARED: ReadonlyArray<readonly [TrialName, ...TrialName[]]> = [
  ['service', 'avro', 'exactly-once', 'repeated', 'pipeline', 'inspector', 'bare', 'naive'],
  ['small-exactly-once', 'small'],
  ['known', 'inspector'],
  ['pool', 'in-process', 'loop'],
  ['jpeg', 'jpeg-sharp', 'jpeg-codec'],
];
const KAFKA_PARTS: readonly Part[] = [
  ...(['service', 'avro', 'exactly-once', 'repeated', 'small', 'small-exactly-once'] as const),
  ...(['naive', 'backlog'] as const),
];

const options = parseOptions(process.argv);
const startedAt = performance.now();
const results = await bench(options);
say(`done in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
console.log(options.json ? JSON.stringify(results, null, 2) : `\n${renderResults(results)}`);

async function bench({ only, rounds, events }: BenchOptions): Promise<Results> {
  const folder = await mkdtemp(join(tmpdir(), 'moderato-bench-'));
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));

  const photos = await preparePhotos(join(folder, 'photos'));
  const trials = [...(await withoutKafka(photos, folder))];
  const wanted = KAFKA_PARTS.filter((part) => only.has(part));
  let json: Backlog | undefined;
  let stage: Stage | undefined;
  if (wanted.length > 0) {
    stage = cleanUp.use(await openStage(photos, folder, say));
    json = await backlogOf(stage, 'json', events + WARM_UP);
    trials.unshift(...(await overKafka(stage, json)));
  }

  const measured = new Map<Trial, Measurement[]>();
  const faults = new Map<Trial, string>();
  for (let round = 1; round <= rounds; round++) {
    for (const trial of trials) {
      if (faults.has(trial)) continue;
      try {
        const result = await trial.run();
        measured.set(trial, [...(measured.get(trial) ?? []), result]);
        say(`round ${round} of ${rounds}: ${trial.title}: ${result.rate.toFixed(0)} events/s`);
      } catch (error) {
        faults.set(trial, messageOf(error));
        say(`${trial.title}: ${messageOf(error)}`);
      }
    }
  }
  const rows = trials.map((trial) =>
    rowOf(trial, measured.get(trial) ?? [], faults.get(trial) ?? null),
  );
  const backlogs: BacklogRow[] = [];
  if (stage && json && only.has('backlog')) {
    const service = rows.find(({ name }) => name === 'service');
    backlogs.push(...(await memoryBy(stage, json, service)));
  }

  return {
    machine: machine(),
    command: [
      'npm run bench',
      ...(process.argv.length > 2 ? ['--'] : []),
      ...process.argv.slice(2),
    ].join(' '),
    photos: photos.description,
    options: optionsOf(options, WARM_UP),
    rows,
    ratios: COMPARED.flatMap(([of, ...over]) =>
      ratiosOf(
        rows.filter(({ name }) => name === of || over.includes(name)),
        of,
      ),
    ),
    backlogs,
  };
}

async function overKafka(stage: Stage, json: Backlog): Promise<Trial[]> {
  const trials: Trial[] = [];
  if (options.only.has('service')) {
    trials.push({
      name: 'service',
      title: 'Moderato over Kafka',
      run: () => runService(stage, json, WARM_UP),
    });
  }
  if (options.only.has('avro')) {
    const avro = await backlogOf(stage, 'avro', json.events);
    trials.push({
      name: 'avro',
      title: 'the same, events in Avro',
      run: () => runService(stage, avro, WARM_UP),
    });
  }
  if (options.only.has('exactly-once')) {
    trials.push({
      name: 'exactly-once',
      title: 'the same, exactly once',
      run: () => runService(stage, json, WARM_UP, { delivery: 'exactly-once' }),
    });
  }
  if (options.only.has('repeated')) {
    // Each photo is inspected while the service warms up; its verdicts come so fast that there must be more of them.
    const long = await backlogOf(stage, 'avro', json.events * MORE_SMALL);
    trials.push({
      name: 'repeated',
      title: 'the same in Avro, pictures seen before',
      run: () => runService(stage, long, WARM_UP, { dedupe: {} }),
    });
  }
  trials.push(...(await withSmallEvents(stage, json.events * MORE_SMALL)));
  if (options.only.has('naive')) {
    let installed: Promise<void> | undefined;
    trials.push({
      name: 'naive',
      title: 'naive consumer (kafkajs eachMessage, transformers.js)',
      run: async () => {
        await (installed ??= installPeer(say));
        return await runNaive(stage, json, WARM_UP);
      },
    });
  }
  return trials;
}

/** What delivery costs when an image costs next to nothing. */
async function withSmallEvents(stage: Stage, events: number): Promise<Trial[]> {
  const deliveries = { small: 'at-least-once', 'small-exactly-once': 'exactly-once' } as const;
  const wanted = (['small', 'small-exactly-once'] as const).filter((n) => options.only.has(n));
  if (wanted.length === 0) return [];
  const files = await prepareThumbnails(join(stage.folder, 'thumbnails'), stage.photos);
  const backlog: Backlog = { topic: await newTopic(stage, 'events-small'), events: 0 };
  await fill({ kafka: stage.kafka, photos: { files } }, backlog, { events, format: 'json' });
  say(`filled a topic with ${events} small image events`);
  const path = await prepareTinyModel(stage.folder);
  const title = (delivery: string): string => `events of 1 kB, tiny random model, ${delivery}`;
  return wanted.map((name) => {
    const delivery = deliveries[name];
    const settings = { delivery, model: { path } };
    const run = (): Promise<Measurement> => runService(stage, backlog, WARM_UP, settings);
    return { name, title: title(delivery), run };
  });
}

async function withoutKafka(photos: Photos, folder: string): Promise<Trial[]> {
  const configOf = (settings: Settings): Promise<string> => {
    const nowhere = { input: 'none', verdicts: 'none', deadLetters: 'none' };
    return writeConfig({ brokers: ['127.0.0.1:9'], folder }, nowhere, settings);
  };
  const configFile = await configOf({});
  const titles = {
    pipeline: 'its pipeline, no Kafka',
    inspector: 'its decoders, batches and scores only',
    bare: 'bare sharp and onnxruntime',
    pool: 'its decoder pool only',
    'in-process': 'the same decoding in the process that wants the pixels',
    loop: 'the same decoding in as many processes, no pool',
    jpeg: 'JPEG to pixels, in process, one at a time',
    'jpeg-sharp': 'the same with sharp alone, by its own resize',
    'jpeg-codec': 'the JPEG codec alone, centre square',
  } as const;
  const names = Object.keys(titles) as Array<keyof typeof titles>;
  const trials: Trial[] = names
    .filter((name) => options.only.has(name))
    .map((name) => ({
      name,
      title: titles[name],
      run: () => runChild(name, { photos: photos.files, configFile }, options.events),
    }));
  if (options.only.has('known')) {
    const settings = { photos: photos.files, configFile: await configOf({ dedupe: {} }) };
    trials.push({
      name: 'known',
      title: 'its cache and scores only, pictures seen before',
      run: () => runChild('inspector', settings, options.events * MORE_SMALL),
    });
  }
  return trials;
}

async function backlogOf(stage: Stage, format: 'json' | 'avro', events: number): Promise<Backlog> {
  const backlog: Backlog = { topic: await newTopic(stage, `events-${format}`), events: 0 };
  await fill(stage, backlog, { events, format });
  say(`filled a topic with ${events} image events in ${format}`);
  return backlog;
}

/** The service's memory while `events` wait, as measured already or now, and while five times as many do. */
async function memoryBy(
  stage: Stage,
  json: Backlog,
  service: Row | undefined,
): Promise<BacklogRow[]> {
  const run = async (): Promise<BacklogRow> => {
    const { rate, usage } = await runService(stage, json, WARM_UP);
    say(`${json.events} events waiting: ${rate.toFixed(0)} events/s`);
    return { events: json.events, rate, usage };
  };
  const short = service?.rate
    ? { events: json.events, rate: service.rate.median, usage: service.usage }
    : await run();
  const missing = LONG_BACKLOG * json.events - json.events;
  await fill(stage, json, { events: missing, format: 'json' });
  return [short, await run()];
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
