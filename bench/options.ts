import { InvalidArgumentError, Option, Command } from 'commander';
import type { TrialName } from './trial.ts';

/** Everything that can be asked for by `--only`. */
export const PARTS = [
  'service',
  'avro',
  'exactly-once',
  'repeated',
  'small',
  'small-exactly-once',
  'pipeline',
  'inspector',
  'known',
  'bare',
  'pool',
  'in-process',
  'loop',
  'jpeg',
  'jpeg-sharp',
  'jpeg-codec',
  'naive',
  'backlog',
] as const satisfies ReadonlyArray<TrialName | 'backlog'>;

export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  json: boolean;
  only: ReadonlySet<Part>;
  rounds: number;
  events: number;
}

export function parseOptions(argv: readonly string[]): BenchOptions {
  const program = new Command('bench')
    .description('measures Moderato against what its parts can do, on one machine and in one run')
    .option('--json', 'data instead of a table', false)
    .addOption(
      new Option('--only <parts>', `comma separated, of: ${PARTS.join(', ')}`)
        .default(new Set<Part>(PARTS), 'all')
        .argParser(parts),
    )
    .option('--rounds <n>', 'how often each is run, in turn with the others', positive, 3)
    .option('--events <n>', 'image events of one run', positive, 600);
  return program.parse(argv).opts<BenchOptions>();
}

function parts(list: string): Set<Part> {
  return new Set(
    list.split(',').map((name) => {
      const part = PARTS.find((known) => known === name.trim());
      if (!part) throw new InvalidArgumentError(`${name} is none of ${PARTS.join(', ')}`);
      return part;
    }),
  );
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('not a whole number above 0');
  return value;
}
