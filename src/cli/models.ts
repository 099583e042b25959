import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { Command, Option } from 'commander';
import { AppError } from '../errors.ts';
import { CATALOG } from '../model/catalog.ts';
import { DEFAULT_ENDPOINT } from '../model/hub.ts';
import { readModelFolder } from '../model/model-folder.ts';
import { pullModel, type PullProgress } from '../model/pull.ts';
import { sealModel } from '../model/seal.ts';
import { deviceOf, digits, prepareModel, type DeviceOptions } from './prepare-model.ts';
import { modelsFolder, resolveModel } from '../model/store.ts';
import { createWorkerClipEncoder } from '../model/worker-clip-encoder.ts';
import { printable, say } from './printable.ts';

/** `moderato models …`: fetch, list and verify models. */
export function modelsCommand(): Command {
  const models = new Command('models').description('fetch, list and verify models');
  models
    .command('pull')
    .description(
      'download a model of the catalogue; an interrupted download goes on where it stopped',
    )
    .argument('<name>', CATALOG.map(({ name }) => name).join(', '))
    .option('--endpoint <url>', 'base URL of the hub or a mirror', endpointDefault())
    .action(pull);
  models
    .command('list')
    .description('models on this machine and models that can be pulled')
    .action(list);
  models
    .command('verify')
    .description('check the hashes, load both towers and compare the golden embeddings')
    .argument('[model]', 'starter, a pulled name or a folder', 'starter')
    .option('--cuda [device]', 'on a GPU instead of the CPU')
    .option('--tensorrt [device]', 'on a GPU, by TensorRT')
    .addOption(precisionOption())
    .action(verify);
  models
    .command('prepare')
    .description('build the prepared graph and compare it with the exported one, on sample photos')
    .argument('[model]', 'starter, a pulled name or a folder', 'starter')
    .option('--cuda [device]', 'on a GPU instead of the CPU')
    .option('--tensorrt [device]', 'on a GPU, by TensorRT')
    .addOption(precisionOption())
    .action(prepareModel);
  models
    .command('seal')
    .description('write file hashes and golden embeddings into the moderato.json of a folder')
    .argument('<folder>')
    .action(seal);
  return models;
}

function precisionOption(): Option {
  return new Option('--precision <precision>', "which of the model's graphs")
    .choices(['fp32', 'fp16', 'int8'])
    .default('fp32');
}

function endpointDefault(): string {
  return process.env['HF_ENDPOINT'] ?? DEFAULT_ENDPOINT;
}

async function pull(name: string, options: { endpoint: string }): Promise<void> {
  const entry = CATALOG.find((each) => each.name === name);
  if (!entry) {
    throw new AppError(
      'usage',
      `pulling ${name}: not in the catalogue, which has ${CATALOG.map((each) => each.name).join(', ')}. ` +
        'Any other CLIP or SigLIP export works as a folder: see docs/models.md.',
    );
  }
  const folder = join(modelsFolder(), name);
  const endpoint = options.endpoint.replace(/\/+$/, '');
  say(`${entry.title}, ${entry.licence} licence\nfrom ${endpoint}/${entry.repo}`);
  const progress = createProgress();
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  try {
    const result = await pullModel({
      entry,
      endpoint,
      folder,
      onFile: progress.update,
      signal: stop.signal,
    });
    progress.stop();
    say(`\n${name} is in ${folder}\ncommit ${result.commit}\nhash   ${result.model.hash}`);
    if (result.trustedOnFirstUse.length > 0) {
      say(
        `No pinned hash was known for ${result.trustedOnFirstUse.join(', ')}: what the hub served was recorded ` +
          'now, and is held to from now on.',
      );
    }
    say(`Use it with model.path: ${name}`);
  } finally {
    progress.stop();
    process.off('SIGINT', onSignal);
  }
}

async function list(): Promise<void> {
  const table = new Table({
    head: ['name', 'state', 'what it is'],
    style: { head: [], border: [] },
  });
  table.push([
    'starter',
    'ships with Moderato',
    'for demos and tests; not CLIP, see its model card',
  ]);
  for (const { name, title } of CATALOG) {
    table.push([name, await pulledState(join(modelsFolder(), name)), title]);
  }
  console.log(table.toString());
  say(`pulled models lie in ${modelsFolder()}`);
}

async function pulledState(folder: string): Promise<string> {
  const there = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  if (await there(join(folder, 'moderato.json'))) return 'pulled';
  return (await there(folder)) ? 'partly pulled' : 'not pulled';
}

async function verify(name: string, options: DeviceOptions): Promise<void> {
  const folder = await resolveModel(name);
  const model = await readModelFolder(folder, options.precision);
  say(`${model.id} in ${folder}\nhash ${model.hash}`);
  const sealed = model.files.some((file) => file.name === 'moderato.json');
  say(`files: ${model.files.length} read${sealed ? ', hashes of moderato.json met' : ''}`);
  const encoder = await createWorkerClipEncoder({
    model,
    ...deviceOf(options),
  });
  const { executionProvider, dimensions, scoring, preprocessing } = encoder.info;
  say(`runs on ${executionProvider}: ${dimensions} dimensions, ${preprocessing}`);
  say(`${scoring.kind}, logit scale ${scoring.logitScale}, bias ${scoring.logitBias}`);
  const { state, drift } = encoder.golden;
  say(`golden embeddings: ${GOLDEN[state]}`);
  say(`drift from them, in cosine: image ${digits(drift.image)}, text ${digits(drift.text)}`);
  await encoder.close();
}

const GOLDEN = {
  matched: 'met',
  recorded: 'none were known; recorded now, and compared from now on',
  unrecorded: 'none were known, and the cache folder cannot be written',
} as const;

async function seal(folder: string): Promise<void> {
  const manifest = await sealModel(await resolveModel(folder));
  say(`sealed ${Object.keys(manifest.files ?? {}).length} files in ${folder}/moderato.json`);
}

/** A bar for each file on a terminal, a line for each file anywhere else. */
function createProgress(): { update: (progress: PullProgress) => void; stop: () => void } {
  let current: string | undefined;
  let complete: string | undefined;
  let bar: SingleBar | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  const update = ({ name, done, total }: PullProgress): void => {
    const finished = done === total;
    if (!process.stdout.isTTY) {
      if (name !== current) say(`fetching ${name}`);
      if (finished && name !== complete) {
        say(`have ${name}, ${megabytes(done)} MB`);
        complete = name;
      }
      current = name;
      return;
    }
    if (name !== current) {
      stop();
      bar = new SingleBar({
        format: '{name} {bar} {percentage}% {doneMB}/{totalMB} MB',
        hideCursor: true,
      });
      bar.start(total ?? Math.max(1, done), 0, {
        name: printable(name).padEnd(26),
        doneMB: '0',
        totalMB: '?',
      });
      current = name;
    }
    if (total !== null) bar?.setTotal(Math.max(1, total));
    bar?.update(done, {
      doneMB: megabytes(done),
      totalMB: total === null ? '?' : megabytes(total),
    });
  };
  return { update, stop };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
