import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { packageFile } from '../package-files.ts';
import { untilSignal } from './until-signal.ts';
import { wholeNumberFrom } from './whole-number.ts';

interface TuneOptions {
  config?: string;
  images?: string[];
  output?: string;
  write?: true;
  maxMemory?: number;
  seconds: number;
  rounds: number;
}

const OWN = 'moderato.yaml';
const BUSY =
  'This machine is busy with something else: what is measured now says little. More --rounds help some.\n';

export function tuneCommand(): Command {
  return new Command('tune')
    .description('measure this machine with this model, and write the fastest configuration')
    .option('-c, --config <file>', `the configuration (default: ${OWN}, else the example)`)
    .option('--images <path...>', 'images such as those to come (default: the samples)')
    .option('-o, --output <file.yaml>', 'where the configuration is written (default: stdout)')
    .addOption(new Option('--write', 'in place of the given one').conflicts('output'))
    .option(
      '--max-memory <MiB>',
      'that service and decoders may take (default: three quarters of what there is)',
      wholeNumberFrom(1),
    )
    .option('--seconds <n>', 'how long each measurement lasts', seconds, 3)
    .option('--rounds <n>', 'how often each candidate is measured', wholeNumberFrom(1), 3)
    .action(async (options: TuneOptions) => {
      const { AppError } = await import('../errors.ts');
      const { tune } = await import('../tune/tune.ts');
      const { ensureWritable } = await import('./ensure-writable.ts');
      const { findImages, findSamples } = await import('./image-files.ts');
      const { renderMeasured, renderTuned } = await import('./render-tuning.ts');

      const file = options.config ?? (existsSync(OWN) ? OWN : packageFile(OWN));
      const own = options.config ?? OWN;
      if (options.write && resolve(file) !== resolve(own)) {
        const why = `there is no ${OWN} here to write to; name a configuration with -c`;
        throw new AppError('usage', `tuning: ${why}`);
      }
      const output = options.write ? file : options.output;
      const images = await (options.images ? findImages(options.images) : findSamples());
      if (output !== undefined) await ensureWritable(output);
      if (isBusy()) process.stderr.write(BUSY);

      const tuned = await tune({
        file,
        images,
        maxMemoryMiB: options.maxMemory,
        seconds: options.seconds,
        rounds: options.rounds,
        signal: untilSignal().signal,
        onMeasured: (...what) => process.stderr.write(`${renderMeasured(...what)}\n`),
      });
      process.stderr.write(`\n${renderTuned(tuned)}\n`);
      if (output === undefined) process.stdout.write(tuned.yaml);
      else await writeFile(output, tuned.yaml);
      const from = dirname(resolve(file));
      if (dirname(resolve(output ?? OWN)) !== from) {
        process.stderr.write(`Paths in it are relative to ${from}.\n`);
      }
    });
}

/** Half of its processors and more; the load average is that of the whole machine. */
function isBusy(): boolean {
  const [lastMinute = 0] = loadavg();
  return lastMinute > cpus().length / 2;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3_600)) {
    throw new InvalidArgumentError('expected a number of seconds, more than 0 and at most 3600');
  }
  return value;
}
