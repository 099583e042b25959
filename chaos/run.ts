/** `npm run chaos`: breaks a running service in every way at once, then proves that no record was lost. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rangesOf, readRanges } from '../src/consumers/read-range.ts';
import { messageOf } from '../src/errors.ts';
import { createVerdictDecoder } from '../src/events/index.ts';
import { reconcile } from '../src/reconcile/reconcile.ts';
import { strike, untilReplicated, type Scene } from './faults.ts';
import { Instance } from './instances.ts';
import { parseOptions, type ChaosOptions } from './options.ts';
import { preparePictures } from './pictures.ts';
import { ProgressWatch } from './progress-watch.ts';
import { Publisher } from './publisher.ts';
import { brokenPromises, renderResults, type ChaosResults, type Struck } from './results.ts';
import { drawSchedule } from './schedule.ts';
import { createWorld, type World } from './world.ts';

/** With more than this waiting, the next fault is put off: each shall strike a service at work, not one far behind. */
const MAX_LAG = 5_000;
const CATCH_UP_MS = 180_000;
const RECOVERY_TIMEOUT_MS = 120_000;

const options = parseOptions(process.argv);
const startedAt = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'moderato-chaos-'));
await using cleanUp = new AsyncDisposableStack();
cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(130)); // instances end with us, brokers have a reaper
}
try {
  const results = await chaos(options);
  console.log(options.json ? JSON.stringify(results, null, 2) : `\n${renderResults(results)}`);
  process.exitCode = brokenPromises(results).length === 0 ? 0 : 1;
} catch (error) {
  say(`the run could not be carried out: ${messageOf(error)}`);
  console.error(error);
  process.exitCode = 2;
}

async function chaos({ kills, events, seed, delivery }: ChaosOptions): Promise<ChaosResults> {
  const world = await createWorld(folder, delivery, say);
  cleanUp.defer(() => world.cluster.stop());
  const pictures = await preparePictures(world.configFile, world.storeFolder);
  const outcomes = Object.entries(Object.groupBy(pictures, ({ outcome }) => outcome));
  say(`pictures: ${outcomes.map(([outcome, of]) => `${of.length} ${outcome}`).join(', ')}`);

  const endings: Record<string, number> = {};
  const instances = await startInstances(world, endings);
  const { groupId } = world.config.kafka;
  const watch = new ProgressWatch(world.kafka, { groupId, topic: world.config.topics.input });
  cleanUp.defer(() => watch.close());
  const publisher = new Publisher(world.kafka, world.config.topics.input, pictures);
  cleanUp.defer(() => publisher.close());

  const scene: Scene = { world, instances };
  const struck: Struck[] = [];
  const mending: Array<Promise<unknown>> = [];
  let mendingBroker: Promise<unknown> = Promise.resolve();
  for (const [index, fault] of drawSchedule(seed, kills, delivery).entries()) {
    const first = Math.floor((events * index) / kills);
    await publisher.publish(first, Math.floor((events * (index + 1)) / kills) - first);
    if (!(await watch.untilLag(MAX_LAG, CATCH_UP_MS))) throw stuck(watch);
    await sleep(fault.afterMs);
    if (fault.kind.startsWith('broker')) await mendingBroker;
    say(`${index + 1} of ${kills}: ${fault.kind} (lag ${watch.lag})`);
    const mended = strike(scene, fault).catch((error: unknown) => {
      say(`${fault.kind}: ${messageOf(error)}`);
    });
    if (fault.kind.startsWith('broker')) mendingBroker = mended;
    const recovered = watch.recovery(RECOVERY_TIMEOUT_MS).then((recoveryMs) => {
      struck.push({ kind: fault.kind, recoveryMs });
    });
    mending.push(mended, recovered);
  }
  await Promise.all(mending);
  await untilReplicated(world);
  say('all is mended: waiting for the rest');
  if (!(await watch.untilLag(0, CATCH_UP_MS))) throw stuck(watch);
  await Promise.all(instances.map((instance) => instance.close()));

  say('reconciling');
  const { topics } = world.config;
  const report = await reconcile({ kafka: world.kafka, topics, groupId, limit: 5 });
  if (!report.proven) say(JSON.stringify(report, null, 2));
  return {
    options,
    struck,
    events: publisher.published,
    inputs: report.inputs,
    verdicts: report.verdicts,
    lost: report.missing.count,
    duplicates: report.duplicates,
    conflicting: report.conflicting.count,
    deadLettersLost: report.withoutDeadLetter.count,
    wrong: await countWrong(world),
    endings,
    seconds: (performance.now() - startedAt) / 1000,
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run chaos --', ...process.argv.slice(2)].join(' '),
  };
}

async function startInstances(
  world: World,
  endings: Record<string, number>,
): Promise<readonly Instance[]> {
  const logFolder = join(process.cwd(), 'out', 'chaos');
  await mkdir(logFolder, { recursive: true });
  const instances = Array.from(
    { length: options.instances },
    (_, index) =>
      new Instance({
        name: `instance-${index + 1}`,
        configFile: world.configFile,
        storeFolder: world.storeFolder,
        logFolder,
        onEnd: (how) => {
          endings[how] = (endings[how] ?? 0) + 1;
        },
      }),
  );
  cleanUp.defer(async () => {
    await Promise.all(instances.map((instance) => instance.abandon()));
  });
  return instances;
}

/** Each event's id says what its picture demands: a verdict that says another thing belongs to another event. */
async function countWrong({ kafka, config }: World): Promise<number> {
  const decoder = createVerdictDecoder();
  let wrong = 0;
  await readRanges({
    kafka,
    ranges: await rangesOf(kafka, [config.topics.verdicts]),
    onRecord: async ({ value }) => {
      const { eventId, outcome } = await decoder.decode(value);
      const expected = eventId === null ? 'not_inspected' : eventId.split(' ')[1];
      if (outcome !== expected) wrong += 1;
    },
  });
  return wrong;
}

function stuck(watch: ProgressWatch): Error {
  const where = watch.standings
    .filter(({ committed, end }) => committed < end)
    .map(({ partition, committed, end }) => `${partition}: ${committed} of ${end}`);
  return new Error(`the service stands still at ${where.join(', ')}; see out/chaos/*.log`);
}

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stderr.write(`${seconds.padStart(4)} s  ${line}\n`);
}
