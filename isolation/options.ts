import { Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumberFrom } from '../src/cli/whole-number.ts';
import { LOAD_NAMES, type LoadName } from './loads.ts';

export const MEASUREMENTS = ['quota', 'backlog'] as const;
export type Part = LoadName | (typeof MEASUREMENTS)[number];
const PARTS: readonly Part[] = [...LOAD_NAMES, ...MEASUREMENTS];

export interface IsolationOptions {
  only: ReadonlySet<Part>;
  seed: number;
  /** How long light events are published behind each load, and what is measured by `quota` and `backlog`. */
  seconds: Record<'light' | (typeof MEASUREMENTS)[number], number>;
  smoke: boolean;
  keep: boolean;
  /** Another checkout of this package, whose service runs in place of this one's. */
  package?: string;
}

const SECONDS = { light: 20, smoke: 2, quota: 300, backlog: 60 };

export function parseOptions(argv: readonly string[]): IsolationOptions {
  const program = new Command('isolation')
    .description('shows on a real Kafka that one producer cannot slow another')
    .addOption(
      new Option('--only <parts>', `comma separated, of: ${PARTS.join(', ')}`)
        .default(new Set<Part>(LOAD_NAMES), 'all loads')
        .argParser(partsOf),
    )
    .option('--seed <n>', 'draws the same pictures in the same order', wholeNumberFrom(1), 3)
    .option(
      '--seconds <n>',
      `how long light events are published, or quota and backlog measured (default: ${SECONDS.light}, ` +
        `${SECONDS.smoke} with --smoke, ${SECONDS.quota} for quota, ${SECONDS.backlog} for backlog)`,
      wholeNumberFrom(1),
    )
    .option('--smoke', 'few records and wide bounds', false)
    .option('--keep', 'keep the folder with pictures and configurations', false)
    .option('--package <folder>', 'run the service of another checkout');
  program.parse(argv);
  const { seconds, ...options } = program.opts<
    Omit<IsolationOptions, 'seconds'> & { seconds?: number }
  >();
  const light = seconds ?? (options.smoke ? SECONDS.smoke : SECONDS.light);
  const { quota, backlog } = SECONDS;
  return { ...options, seconds: { light, quota: seconds ?? quota, backlog: seconds ?? backlog } };
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
