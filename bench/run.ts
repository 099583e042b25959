/** `npm run bench`: how fast the service is, what its parts could do, and what is written today instead. */
import { messageOf } from '../src/errors.ts';
import { memoryByBacklog } from './groups/backlog.ts';
import { decoding } from './groups/decoding.ts';
import { endToEnd } from './groups/end-to-end.ts';
import { growth } from './groups/growth.ts';
import { measureLatency } from './groups/latency.ts';
import { measureMemory } from './groups/memory.ts';
import { peers } from './groups/peers.ts';
import { measureScoring } from './groups/scoring.ts';
import { smallEvents } from './groups/small-events.ts';
import type { StudyName } from './groups.ts';
import { machine } from './machine.ts';
import { parseOptions, type BenchOptions } from './options.ts';
import { COMPARED, optionsOf, ratiosOf, rowOf, type Results } from './results.ts';
import { runRounds } from './rounds.ts';
import { createSetup } from './setup.ts';
import { WARM_UP } from './stage.ts';
import { renderResults } from './table.ts';
import { judge } from './targets.ts';

const options = parseOptions(process.argv);
const startedAt = performance.now();
const results = await bench(options);
say(`done in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
console.log(options.json ? JSON.stringify(results, null, 2) : `\n${renderResults(results)}`);
const failed =
  Object.keys(results.faults).length > 0 || results.rows.some(({ fault }) => fault !== null);
if (options.smoke && failed) process.exitCode = 1;

async function bench({ only, rounds }: BenchOptions): Promise<Results> {
  await using setup = await createSetup(options, say);
  const groups = [endToEnd, peers, decoding, smallEvents, growth];
  const trials = groups.flatMap((rowsOf) => rowsOf(setup)).filter(({ name }) => only.has(name));
  const measured = await runRounds(trials, rounds, say);
  const rows = trials.map((trial) => rowOf(trial, ...measured(trial)));
  const service = rows.find(({ name }) => name === 'service');

  const faults: Results['faults'] = {};
  const study = async <T>(name: StudyName, work: () => Promise<T>): Promise<T | null> => {
    if (!only.has(name)) return null;
    try {
      return await work();
    } catch (error) {
      faults[name] = messageOf(error);
      say(`${name}: ${messageOf(error)}`);
      return null;
    }
  };
  const found = {
    machine: machine(),
    command: `npm run bench${process.argv.length > 2 ? ' -- ' : ''}${process.argv.slice(2).join(' ')}`,
    photos: setup.photos.description,
    options: optionsOf(options, WARM_UP),
    rows,
    ratios: COMPARED.flatMap(([of, ...over]) =>
      ratiosOf(
        rows.filter(({ name }) => name === of || over.includes(name)),
        of,
      ),
    ),
    scoring: await study('scoring', measureScoring),
    latency: await study('latency', () => measureLatency(setup)),
    memory: await study('memory', () => measureMemory(setup)),
    backlogs: (await study('backlog', () => memoryByBacklog(setup, service))) ?? [],
    faults,
  };
  return { ...found, targets: judge(found) };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
