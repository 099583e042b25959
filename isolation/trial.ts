import { setTimeout as sleep } from 'node:timers/promises';
import { untilLogged } from '../bench/verdict-log.ts';
import { configSchema, type Config } from '../src/config-schema.ts';
import { createTopics } from '../src/kafka/topics.ts';
import { ProgressWatch } from '../suites/progress-watch.ts';
import { PARTITIONS, type Load } from './loads.ts';
import { prove, type Found } from './outcomes.ts';
import { EventPublisher, type Outgoing, type Place, type Published } from './publisher.ts';
import { COMMON, startService, type RunningService } from './service.ts';
import type { World } from './world.ts';

export interface TrialOptions {
  isSmoke: boolean;
  /** Of light events behind the load. */
  seconds: number;
  package?: string | undefined;
  say: (line: string) => void;
}

/** Moments in ms since the epoch. */
export interface Phases {
  /** Hot events are judged, and no others. */
  aloneFrom: number;
  /** Light events begin. */
  lightFrom: number;
  /** The last of them was published. */
  lightUntil: number;
}

/** Everything that was seen of one load. */
export interface Trial {
  load: Load;
  /** By event id. */
  published: ReadonlyMap<string, Published>;
  /** By event id. */
  found: ReadonlyMap<string, Found>;
  phases: Phases;
  /** What must not be: an unexpected end of the service, offsets not committed, what `moderato reconcile` finds. */
  breaches: string[];
}

const LIGHT_PER_SECOND = 3;
const COMMIT_MS = 250;

/** `alone`: before what counts; `deadline`: for all to be committed. */
const PACES = {
  full: { idleSeconds: 10, probes: 5, rampMs: 2_000, deadlineMs: 600_000 },
  smoke: { idleSeconds: 1, probes: 2, rampMs: 500, deadlineMs: 120_000 },
};
const SMOKE_ALONE_MS = 1_500;

/** Runs one load against a service of its own: light events alone, then hot ones alone, then both. */
export async function tryLoad(load: Load, world: World, options: TrialOptions): Promise<Trial> {
  const { isSmoke, seconds, say } = options;
  const pace = isSmoke ? PACES.smoke : PACES.full;
  await using stage = await openStage(load, world, options);
  const { publisher, running } = stage;
  const light = (count: number): Outgoing[] =>
    Array.from({ length: count }, (_, index) => lightEvent(load, world, index));
  const hot = (count: number): Outgoing[] =>
    Array.from({ length: count }, (_, index) => hotEvent(load, world, index));

  await publisher.publish('warm-up', light(2 * LIGHT_PER_SECOND));
  await stage.untilJudged();
  await publisher.pace(
    'idle',
    light(pace.idleSeconds * LIGHT_PER_SECOND),
    1_000 / LIGHT_PER_SECOND,
  );
  if (load.aloneSeconds > 0) {
    for (const each of hot(pace.probes)) {
      await publisher.publish('probe', [each]);
      await stage.untilJudged();
    }
  }

  const startedAt = Date.now();
  await publisher.publish('hot', hot(isSmoke ? load.events.smoke : load.events.full));
  let aloneFrom = Date.now();
  if (load.aloneSeconds > 0) {
    await sleep(Math.max(0, startedAt + pace.rampMs - Date.now()));
    aloneFrom = Date.now();
    await sleep(isSmoke ? SMOKE_ALONE_MS : load.aloneSeconds * 1_000);
  }
  const lightFrom = Date.now();
  await publisher.pace('light', light(seconds * LIGHT_PER_SECOND), 1_000 / LIGHT_PER_SECOND);
  const phases = { aloneFrom, lightFrom, lightUntil: Date.now() };
  load.relieve?.(world);
  say(`${load.name}: ${stage.lag()} of ${publisher.count} events are not committed yet`);
  const uncommitted = await stage.untilCommitted(pace.deadlineMs);
  await running.service.close(uncommitted === 0 ? 'SIGTERM' : 'SIGKILL');
  const { found, breaches } = await prove(world, stage.config, stage.inputs);
  const { exits } = running.service;
  if (exits.length > 0) breaches.push(`the service ended: ${exits.join(', ')}`);
  if (uncommitted > 0) breaches.push(`${uncommitted} records are not committed at the deadline`);
  return { load, published: publisher.published, found, phases, breaches };
}

/** A load's topics, and the service that reads them. */
interface LoadStage extends AsyncDisposable {
  config: Config;
  inputs: readonly string[];
  running: RunningService;
  publisher: EventPublisher;
  /** Resolves when every published event has a verdict. */
  untilJudged(): Promise<void>;
  lag(): number;
  /** Resolves with the number of records that are not committed at the deadline. */
  untilCommitted(deadlineMs: number): Promise<number>;
}

async function openStage(load: Load, world: World, options: TrialOptions): Promise<LoadStage> {
  const { kafka, producer, folder } = world;
  const written = configurationOf(load, world, options.isSmoke);
  const config = configSchema.parse(written);
  const { verdicts, deadLetters } = config.topics;
  const inputs = load.input.map(({ topic }) => nameOf(load, topic));
  await createTopics(kafka, [
    ...inputs.map((topic) => ({ topic, partitions: PARTITIONS })),
    // A verdict's time is that at which the broker has it.
    ...[verdicts, deadLetters].map((topic) => ({
      topic,
      partitions: PARTITIONS,
      config: { 'message.timestamp.type': 'LogAppendTime' },
    })),
  ]);
  await using open = new AsyncDisposableStack();
  const running = await startService({
    name: load.name,
    folder,
    config: written,
    package: options.package,
  });
  open.defer(() => running.service.close('SIGKILL'));
  const { groupId } = config.kafka;
  const watches = inputs.map((topic) => new ProgressWatch(kafka, { groupId, topic }));
  for (const watch of watches) open.defer(() => watch.close());
  const publisher = new EventPublisher(producer);
  const parts = open.move();
  return {
    config,
    inputs,
    running,
    publisher,
    untilJudged: () =>
      untilLogged(kafka, verdicts, publisher.count, new AbortController().signal, 50),
    lag: () => watches.reduce((sum, { lag }) => sum + lag, 0),
    untilCommitted: async (deadlineMs) => {
      await Promise.all(watches.map((watch) => watch.untilLag(0, deadlineMs)));
      return watches.reduce((sum, { lag }) => sum + lag, 0);
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function configurationOf(load: Load, world: World, isSmoke: boolean) {
  const { pipeline, http } = load.settings(world, isSmoke);
  const lanes = load.input.map(({ topic, weight }) => ({ topic: nameOf(load, topic), weight }));
  return {
    ...COMMON,
    kafka: {
      brokers: world.cluster.bootstrap,
      groupId: load.name,
      commitIntervalMs: COMMIT_MS,
    },
    topics: {
      input: lanes.length === 1 ? lanes[0]?.topic : lanes,
      verdicts: nameOf(load, 'verdicts'),
      deadLetters: nameOf(load, 'dead-letters'),
    },
    images: { root: world.root, ...(http && { http }) },
    ...(pipeline && { pipeline }),
  };
}

function nameOf(load: Load, topic: string): string {
  return `${load.name}.${topic}`;
}

function placeIn(load: Load, { topic, partition }: Place): Place {
  return { topic: nameOf(load, topic), partition };
}

function hotEvent(load: Load, world: World, index: number): Outgoing {
  const { event, place } = load.hot(world, index);
  return { event, place: placeIn(load, place) };
}

function lightEvent(load: Load, { pictures, dice }: World, index: number): Outgoing {
  const { tenant, place } = load.light(index);
  const image = { bytes: dice.pick(pictures).bytes.toString('base64') };
  return { event: { tenant, image }, place: placeIn(load, place) };
}
