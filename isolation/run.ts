/** `npm run isolation`: shows on a real Kafka that one producer cannot slow another. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../src/errors.ts';
import { measureBacklog, renderBacklog } from './backlog.ts';
import { figuresOf, type Figures } from './figures.ts';
import { LOADS, spreadOverPartitions, type Load } from './loads.ts';
import { parseOptions } from './options.ts';
import { brokenByQuota, measureQuota, renderQuota } from './quota.ts';
import { BOUNDS, brokenBounds, renderResults, SMOKE_BOUNDS } from './results.ts';
import { tryLoad } from './trial.ts';
import { createWorld, type World } from './world.ts';

const options = parseOptions(process.argv);
const { smoke: isSmoke, seconds, only } = options;
const startedAt = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'moderato-isolation-'));
if (options.keep) say(`everything is in ${folder}`);
else process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(130)); // the broker and the service have a reaper each
}
try {
  await using world = await createWorld(folder, options.seed, say);
  process.exitCode = (await run(world)) ? 0 : 1;
} catch (error) {
  say(`the run could not be carried out: ${messageOf(error)}`);
  console.error(error);
  process.exitCode = 2;
}

/** Resolves with whether every bound was kept. */
async function run(world: World): Promise<boolean> {
  const broken: string[] = [];
  if (LOADS.some(({ name }) => only.has(name)) && !(await showIsolation(world))) {
    broken.push('loads');
  }
  if (only.has('quota')) {
    const figures = await measureQuota(world, {
      seconds: seconds.quota,
      package: options.package,
      say,
    });
    broken.push(...brokenByQuota(figures));
    console.log([renderQuota(figures), ...brokenByQuota(figures), signature()].join('\n'));
  }
  if (only.has('backlog')) {
    const measuring = { seconds: seconds.backlog, package: options.package, say };
    const figures = await measureBacklog(world, measuring);
    console.log([renderBacklog(figures), signature()].join('\n'));
  }
  return broken.length === 0;
}

/** Resolves with whether every bound was kept. */
async function showIsolation(world: World): Promise<boolean> {
  const loads: Figures[] = [];
  const measure = async (load: Load, lightSeconds: number): Promise<Figures> => {
    say(`${load.name}: ${isSmoke ? load.events.smoke : load.events.full} events`);
    const trial = { isSmoke, seconds: lightSeconds, package: options.package, say };
    return figuresOf(await tryLoad(load, world, trial));
  };
  let spread: { onePartition: number; spread: number } | undefined;
  for (const load of LOADS.filter(({ name }) => only.has(name))) {
    const figures = await measure(load, seconds.light);
    loads.push(figures);
    if (load.name !== 'small' || isSmoke) continue;
    const other = await measure(spreadOverPartitions(load), 0);
    const rate = (of: Figures): number => of.throughput?.alone ?? Number.NaN;
    spread = { onePartition: rate(figures), spread: rate(other) };
  }
  const results = {
    loads,
    spread,
    bounds: isSmoke ? SMOKE_BOUNDS : BOUNDS,
    seconds: (performance.now() - startedAt) / 1_000,
    signature: signature(),
  };
  console.log(`\n${renderResults(results)}`);
  return brokenBounds(results).length === 0;
}

/** When and how the figures came about. */
function signature(): string {
  const command = ['npm run isolation --', ...process.argv.slice(2)].join(' ');
  return `${new Date().toISOString().slice(0, 10)}, ${command}`;
}

function say(line: string): void {
  const elapsed = ((performance.now() - startedAt) / 1_000).toFixed(0);
  process.stderr.write(`${elapsed.padStart(4)} s  ${line}\n`);
}
