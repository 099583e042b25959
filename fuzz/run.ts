/** `npm run fuzz`: puts broken and malicious images through the service, and demands a verdict for each. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessWatch } from '../bench/process-watch.ts';
import { prepareTinyModel } from '../bench/tiny-model.ts';
import { messageOf } from '../src/errors.ts';
import { caseOf, type Case, type CaseSource } from './cases.ts';
import { buildCorpus } from './corpus/corpus.ts';
import { commandOf, keep } from './keep.ts';
import { parseOptions } from './options.ts';
import { exitCodeOf, renderResults, type FuzzResults } from './results.ts';
import { startService } from './service-process.ts';
import { runCases } from './session.ts';
import { Tally } from './tally.ts';

/** `images.decodeTimeoutMs` of the service. */
const TIMEOUT_MS = 2_000;
/** A crash is tried once more, and each time a process must start first. */
const MAX_CASE_MS = 2 * (TIMEOUT_MS + 1_500);
/** Waiting at the service beside those that it works on, so that it never waits for us. */
const AHEAD = 4;
/** `images.decoderMemoryBytes` of the service, in MiB: half of its default, which no image of the corpus reaches. */
const DECODER_MIB = 1_024;
/** What a process takes between two looks at its memory, which come late on a busy machine; 120 MiB were seen. */
const OVERSHOOT_MIB = 256;
/** Images of 15 MB are in flight as JSON, several times each; 620 MiB were seen. */
const MAX_SERVICE_MIB = 800;
const TOLD_EVERY = 1_000;

const options = parseOptions(process.argv);
const startedAt = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'moderato-fuzz-'));
try {
  const results = await fuzz();
  console.log(`\n${renderResults(results)}`);
  process.exitCode = exitCodeOf(results);
} catch (error) {
  say(`the run could not be carried out: ${messageOf(error)}`);
  console.error(error);
  process.exitCode = 2;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function fuzz(): Promise<FuzzResults> {
  const { seed, decoders } = options;
  const model = await prepareTinyModel(folder);
  const source: CaseSource = { corpus: await buildCorpus(), seed };
  say(`seed ${seed}: ${source.corpus.length} files to begin with`);

  const tally = new Tally(MAX_CASE_MS);
  const keeping: Array<Promise<void>> = [];
  const keepCase = (given: Case, why: string): void => {
    const kept = keep(given, seed).then((file) =>
      say(`${why}: ${commandOf(given.number, seed)}, ${file}`),
    );
    keeping.push(kept);
  };
  const settings = {
    model,
    decoders,
    timeoutMs: TIMEOUT_MS,
    memoryBytes: DECODER_MIB * 2 ** 20,
  };
  const watching = Promise.withResolvers<ProcessWatch>();
  let done = 0;
  const session = await runCases({
    start: (listeners) => {
      const service = startService(settings, listeners);
      watching.resolve(new ProcessWatch(new Map([[service.pid, 'service']])));
      return service;
    },
    cases: casesOf(source),
    window: decoders + AHEAD,
    patienceMs: 10 * MAX_CASE_MS,
    onOutcome: (given, outcome) => {
      tally.add(given, outcome);
      const { code, ms } = outcome;
      if (code === 'image_decode_crashed') keepCase(given, code);
      else if (ms > MAX_CASE_MS) keepCase(given, 'over its time');
      if (options.case !== undefined) {
        keepCase(given, `${outcome.outcome} ${code ?? ''} after ${ms.toFixed(0)} ms`);
      }
      done += 1;
      if (done % TOLD_EVERY === 0) say(`${done} cases`);
    },
  });
  const watch = await watching.promise;
  await watch.stop();
  for (const given of session.withoutOutcome) keepCase(given, 'without outcome');
  await Promise.all(keeping);

  const usage = watch.usage({ from: 0, until: Date.now(), events: 1 });
  const peakOf = (role: string): number | null => usage[role]?.peakMiB ?? null;
  return {
    options,
    session,
    tally,
    maxMs: MAX_CASE_MS,
    decoder: { peak: peakOf('decoder-process'), bound: DECODER_MIB + OVERSHOOT_MIB },
    service: { peak: peakOf('service'), bound: MAX_SERVICE_MIB },
    seconds: (performance.now() - startedAt) / 1000,
    date: new Date().toISOString().slice(0, 10),
  };
}

function* casesOf(source: CaseSource): Generator<Case> {
  if (options.case !== undefined) {
    yield caseOf(source, options.case);
    return;
  }
  for (let number = 0; number < options.cases; number += 1) yield caseOf(source, number);
}

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stderr.write(`${seconds.padStart(4)} s  ${line}\n`);
}
