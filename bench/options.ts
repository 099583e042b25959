import { Command, InvalidArgumentError, Option } from 'commander';
import { GROUP_NAMES, GROUPS, ROW_NAMES, type Group, type RowName } from './groups.ts';

export interface BenchOptions {
  json: boolean;
  only: ReadonlySet<RowName>;
  rounds: number;
  events: number;
  /** Of the memory's trend. */
  minutes: number;
  arrivals: 'poisson' | 'even';
  /** Everything in little, to see whether it runs; the figures mean nothing. */
  smoke: boolean;
}

const SMOKE = { rounds: 1, events: 48, minutes: 1 };
/** What installs packages of its own is left to a run that is to measure. */
const NOT_IN_SMOKE = new Set<RowName>(['naive', 'python']);
const CHOICES = [...GROUP_NAMES, ...ROW_NAMES].join(', ');

export function parseOptions(argv: readonly string[]): BenchOptions {
  const program = new Command('bench')
    .description('measures Moderato against what its parts can do, on one machine and in one run')
    .option('--json', 'data instead of a table', false)
    .addOption(
      new Option('--only <parts>', `groups or rows, comma separated, of: ${CHOICES}`)
        .default(new Set(ROW_NAMES), 'all')
        .argParser(parts),
    )
    .option('--rounds <n>', 'how often each row is run, in turn with the others', positive, 3)
    .option('--events <n>', 'image events of one run', positive, 600)
    .option('--minutes <n>', 'how long the memory is watched', positive, 1)
    .addOption(
      new Option('--arrivals <how>', 'of the events whose latency is measured')
        .choices(['poisson', 'even'])
        .default('poisson'),
    )
    .option('--smoke', 'everything in little; fails where a row does', false);
  program.parse(argv);
  const options = program.opts<BenchOptions>();
  if (!options.smoke) return options;
  const given = (name: string): boolean => program.getOptionValueSource(name) === 'cli';
  const few = Object.fromEntries(Object.entries(SMOKE).filter(([name]) => !given(name)));
  const only = given('only')
    ? options.only
    : new Set(ROW_NAMES.filter((name) => !NOT_IN_SMOKE.has(name)));
  return { ...options, ...few, only };
}

function parts(list: string): Set<RowName> {
  return new Set(
    list.split(',').flatMap((word): readonly RowName[] => {
      const name = word.trim();
      if (name in GROUPS) return GROUPS[name as Group].rows;
      const row = ROW_NAMES.find((known) => known === name);
      if (!row) throw new InvalidArgumentError(`${name} is none of ${CHOICES}`);
      return [row];
    }),
  );
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('not a whole number above 0');
  return value;
}
