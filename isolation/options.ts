import { Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumberFrom } from '../src/cli/whole-number.ts';
import { LOAD_NAMES, type LoadName } from './loads.ts';

export const MEASUREMENTS = ['quota', 'backlog'] as const;
export type Part = LoadName | (typeof MEASUREMENTS)[number];
const PARTS: readonly Part[] = [...LOAD_NAMES, ...MEASUREMENTS];

export interface IsolationOptions {
  only: ReadonlySet<Part>;
  seed: number;
  /** How long light events are published behind each load; for `quota` and `backlog`, how long is measured. */
  seconds: number;
  smoke: boolean;
  keep: boolean;
  /** Another checkout of this package, whose service runs in place of this one's. */
  package?: string;
}

const SMOKE_SECONDS = 2;

export function parseOptions(argv: readonly string[]): IsolationOptions {
  const program = new Command('isolation')
    .description('shows on a real Kafka that one producer cannot slow another')
    .addOption(
      new Option('--only <parts>', `comma separated, of: ${PARTS.join(', ')}`)
        .default(new Set<Part>(LOAD_NAMES), 'all loads')
        .argParser(partsOf),
    )
    .option('--seed <n>', 'draws the same pictures in the same order', wholeNumberFrom(1), 3)
    .option('--seconds <n>', 'seconds of light events behind a load', wholeNumberFrom(1), 20)
    .option('--smoke', 'few records and wide bounds', false)
    .option('--keep', 'keep the folder with pictures and configurations', false)
    .option('--package <folder>', 'run the service of another checkout');
  program.parse(argv);
  const options = program.opts<IsolationOptions>();
  const isGiven = program.getOptionValueSource('seconds') === 'cli';
  return options.smoke && !isGiven ? { ...options, seconds: SMOKE_SECONDS } : options;
}

function partsOf(list: string): Set<Part> {
  return new Set(
    list.split(',').map((word) => {
      const part = PARTS.find((known) => known === word.trim());
      if (!part) throw new InvalidArgumentError(`${word} is none of ${PARTS.join(', ')}`);
      return part;
    }),
  );
}
