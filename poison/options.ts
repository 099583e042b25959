import { Command, Option } from 'commander';
import { wholeNumberFrom } from '../src/cli/whole-number.ts';

export interface PoisonOptions {
  records: number;
  seed: number;
  delivery: 'at-least-once' | 'exactly-once';
  /** Seconds for the whole run. */
  deadline: number;
}

export function parseOptions(argv: readonly string[]): PoisonOptions {
  const program = new Command('poison')
    .description('publishes hostile records to a running service and demands an outcome for each')
    .option('--records <n>', 'records to publish, good ones among them', wholeNumberFrom(1), 10_000)
    .option('--seed <n>', 'draws the same records again', wholeNumberFrom(1), 5)
    .option('--deadline <s>', 'seconds until the run is given up', wholeNumberFrom(1), 1_800)
    .addOption(
      new Option('--delivery <promise>', 'how the service delivers')
        .choices(['at-least-once', 'exactly-once'])
        .default('at-least-once'),
    );
  return program.parse(argv).opts<PoisonOptions>();
}
