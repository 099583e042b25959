/** `npm run chaos`: breaks a running service in every way at once, then proves that no record was lost. */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startReaper } from '../src/demo/kafka/reaper.ts';
import { messageOf } from '../src/errors.ts';
import { firstInput } from '../src/topics.ts';
import { assault } from './assault.ts';
import { Instance } from './instances.ts';
import { parseOptions, type ChaosOptions } from './options.ts';
import { preparePictures } from './pictures.ts';
import { ProgressWatch } from '../suites/progress-watch.ts';
import { prove } from './proof.ts';
import { Publisher } from './publisher.ts';
import { brokenPromises, renderResults, type ChaosResults } from './results.ts';
import { drawSchedule } from './schedule.ts';
import { createWorld, type World } from './world.ts';

const options = parseOptions(process.argv);
const startedAt = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'moderato-chaos-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(130)); // the brokers and the instances have a reaper each
}
await using cleanUp = new AsyncDisposableStack();
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
  const world = await createWorld(folder, options, say);
  cleanUp.defer(() => world.cluster.stop());
  const pictures = await preparePictures(world.configFile, world.storeFolder);
  const outcomes = Object.entries(Object.groupBy(pictures, ({ outcome }) => outcome));
  say(`pictures: ${outcomes.map(([outcome, of]) => `${of.length} ${outcome}`).join(', ')}`);

  const endings: Record<string, number> = {};
  const instances = await startInstances(world, endings);
  const { groupId } = world.config.kafka;
  const input = firstInput(world.config.topics);
  const watch = new ProgressWatch(world.kafka, { groupId, topic: input });
  cleanUp.defer(() => watch.close());
  const publisher = new Publisher(world.kafka, input, pictures);
  cleanUp.defer(() => publisher.close());

  const schedule = drawSchedule(seed, kills, delivery);
  const scene = { world, publisher, instances };
  const struck = await assault({ scene, faults: schedule, events, watch, say });
  await Promise.all(instances.map((instance) => instance.close()));

  say('reconciling');
  return {
    options,
    schedule,
    struck,
    events: publisher.published,
    ...(await prove(world, say)),
    endings,
    seconds: (performance.now() - startedAt) / 1000,
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run chaos --', ...process.argv.slice(2)].join(' '),
  };
}

async function startInstances(
  { configFile, storeFolder }: World,
  endings: Record<string, number>,
): Promise<readonly Instance[]> {
  const logFolder = join(process.cwd(), 'out', 'chaos');
  await mkdir(logFolder, { recursive: true });
  // An instance that is frozen when this process dies could not end by itself.
  const reaper = startReaper('kill -9 $last');
  const pids = new Map<string, number>();
  const names = Array.from({ length: options.instances }, (_, index) => `instance-${index + 1}`);
  const instances = names.map(
    (name) =>
      new Instance({
        name,
        configFile,
        storeFolder,
        logFolder,
        ...(options.static && { instanceId: name }),
        onStart: (pid) => {
          reaper.watch([...pids.set(name, pid).values()].join(' '));
        },
        onEnd: (how) => {
          endings[how] = (endings[how] ?? 0) + 1;
        },
      }),
  );
  cleanUp.defer(async () => {
    await Promise.all(instances.map((instance) => instance.abandon()));
    reaper.release();
  });
  return instances;
}

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stderr.write(`${seconds.padStart(4)} s  ${line}\n`);
}
