/** `npm run poison`: publishes hostile records to a running service, and demands an outcome for each. */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessWatch } from '../bench/process-watch.ts';
import { ProgressWatch } from '../suites/progress-watch.ts';
import { messageOf } from '../src/errors.ts';
import { firstInput } from '../src/topics.ts';
import { hostileBatches } from './batches.ts';
import { Liveness } from './liveness.ts';
import { parseOptions } from './options.ts';
import { Plan } from './plan.ts';
import { RawProducer } from '../suites/raw-producer.ts';
import { prove } from './proof.ts';
import { PoisonPublisher } from './publisher.ts';
import { brokenPromises, renderResults, type PoisonResults } from './results.ts';
import { SupervisedService } from '../suites/supervised-service.ts';
import { createWorld, type World } from './world.ts';

/** A run of fewer records has fewer and smaller batches too. */
const SHORT = 2_000;
const TRANSACTIONS_PER_1000 = 4;
const TOLD_EVERY_MS = 10_000;
const STARTING_MS = 60_000;
const LOOK_EVERY_MS = 500;

const options = parseOptions(process.argv);
const isShort = options.records < SHORT;
const startedAt = performance.now();
const deadline = startedAt + options.deadline * 1_000;
const folder = await mkdtemp(join(tmpdir(), 'moderato-poison-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(130)); // the broker and the service have a reaper each
}
await using cleanUp = new AsyncDisposableStack();
try {
  const results = await poison();
  console.log(`\n${renderResults(results)}`);
  process.exitCode = brokenPromises(results).length === 0 ? 0 : 1;
} catch (error) {
  say(`the run could not be carried out: ${messageOf(error)}`);
  console.error(error);
  process.exitCode = 2;
}

async function poison(): Promise<PoisonResults> {
  const world = await createWorld(folder, options, isShort, say);
  cleanUp.defer(() => world.cluster.stop());
  cleanUp.defer(() => world.servers.close());
  const { service, probes, memory } = await startService(world);
  const { groupId } = world.config.kafka;
  const input = firstInput(world.config.topics);
  const progress = new ProgressWatch(world.kafka, { groupId, topic: input });
  cleanUp.defer(() => progress.close());

  const plan = new Plan();
  await publish(world, plan);
  for (const [kind, codes] of plan.refusals) {
    say(`the broker refused ${kind} with ${[...codes].join(', ')}`);
  }
  say(`published ${plan.size} records: waiting until all are committed`);
  const uncommitted = await untilCommitted(progress, plan, service);
  await Promise.all(probes.map((each) => each.close()));
  await service.close(uncommitted === 0 ? 'SIGTERM' : 'SIGKILL');
  await Promise.all(memory.map((each) => each.stop()));

  say('reading what came out');
  const proof = await prove(world, plan);
  const usage = memory.map((each) => each.usage({ from: 0, until: 0, events: 1 }));
  const highest = (role: string): number =>
    Math.max(0, ...usage.map((roles) => roles[role]?.peakMiB ?? 0));
  return {
    ...proof,
    delivery: options.delivery,
    published: plan.size,
    refused: plan.refused,
    exits: service.exits,
    serviceMiB: highest('service'),
    decoderMiB: highest('decoder-process'),
    silenceMs: Math.max(0, ...probes.map(({ longest }) => longest.ownMs)),
    totalSilenceMs: Math.max(0, ...probes.map(({ longest }) => longest.totalMs)),
    probes: probes.reduce((sum, each) => sum + each.probes, 0),
    uncommitted,
    seconds: (performance.now() - startedAt) / 1_000,
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run poison --', ...process.argv.slice(2)].join(' '),
  };
}

async function startService({ configFile }: World) {
  const logFolder = join(process.cwd(), 'out', 'poison');
  await mkdir(logFolder, { recursive: true });
  const probes: Liveness[] = [];
  const memory: ProcessWatch[] = [];
  const running = Promise.withResolvers<undefined>();
  const service = new SupervisedService({
    configFile,
    logFile: join(logFolder, 'service.log'),
    onRunning: (pid, port) => {
      // The probes of a process that ended find out how long it is gone until then, and no longer.
      void probes.at(-1)?.close();
      probes.push(new Liveness(pid, port));
      memory.push(new ProcessWatch(new Map([[pid, 'service']])));
      running.resolve(undefined);
    },
  });
  cleanUp.defer(() => service.close('SIGKILL'));
  const late = sleep(STARTING_MS, 'late', { ref: false });
  if ((await Promise.race([running.promise, late])) === 'late') {
    throw new Error(`the service does not start; see ${logFolder}`);
  }
  return { service, probes, memory };
}

async function publish({ kafka, config, scene }: World, plan: Plan): Promise<void> {
  const topic = firstInput(config.topics);
  const producer = await RawProducer.connect(config.kafka.brokers[0] ?? '', topic);
  try {
    const { seed, records } = options;
    const publisher = new PoisonPublisher({ kafka, topic, producer, scene, plan, seed });
    const batches = hostileBatches(isShort);
    const transactions = Math.ceil((records * TRANSACTIONS_PER_1000) / 1_000);
    let [batchesDone, transactionsDone] = [0, 0];
    let told = performance.now();
    for (let done = 0; done < records && performance.now() < deadline;) {
      done += await publisher.publishSome(records - done);
      // Spread evenly over the run.
      for (; batchesDone < Math.floor((batches.length * done) / records); batchesDone += 1) {
        const batch = batches[batchesDone];
        if (batch) await publisher.publishHostile(batch);
      }
      for (
        ;
        transactionsDone < Math.floor((transactions * done) / records);
        transactionsDone += 1
      ) {
        await publisher.transact(transactionsDone % 2 === 0 ? 'abort' : 'commit');
      }
      if (performance.now() - told < TOLD_EVERY_MS) continue;
      told = performance.now();
      say(`published ${plan.size} records`);
    }
  } finally {
    producer.close();
  }
}

/** Resolves with the number of offsets that the group has not committed at the deadline. */
async function untilCommitted(
  progress: ProgressWatch,
  plan: Plan,
  service: SupervisedService,
): Promise<number> {
  await sleep(LOOK_EVERY_MS * 2); // what was published a moment ago shall be seen
  const left = (): number =>
    progress.standings.reduce(
      (sum, { partition, committed }) => sum + plan.uncommitted(partition, committed),
      0,
    );
  let told = performance.now();
  while (progress.standings.length === 0 || left() > 0) {
    if (performance.now() > deadline || service.isGivenUp) break;
    await sleep(LOOK_EVERY_MS);
    if (performance.now() - told < TOLD_EVERY_MS) continue;
    told = performance.now();
    say(`${left()} offsets are not committed yet`);
  }
  for (const { partition, committed } of progress.standings) {
    const count = plan.uncommitted(partition, committed);
    if (count > 0) say(`partition ${partition} stands at ${committed}, ${count} before its end`);
  }
  return progress.standings.length === 0 ? plan.size : left();
}

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  process.stderr.write(`${seconds.padStart(4)} s  ${line}\n`);
}
