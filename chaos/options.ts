import { Command, Option } from 'commander';
import { wholeNumberFrom } from '../src/cli/whole-number.ts';

export interface ChaosOptions {
  kills: number;
  events: number;
  seed: number;
  instances: number;
  delivery: 'at-least-once' | 'exactly-once';
  /** `kafka.sessionTimeoutMs`, where it is not the product's default. */
  session?: number;
  /** Whether instances have a `kafka.instanceId`, as the pods of a StatefulSet have. */
  static: boolean;
  json: boolean;
}

export function parseOptions(argv: readonly string[]): ChaosOptions {
  const program = new Command('chaos')
    .description('breaks a running service in every way at once and proves that nothing was lost')
    .option('--kills <n>', 'faults to strike with', wholeNumberFrom(1), 200)
    .option('--events <n>', 'image events to publish meanwhile', wholeNumberFrom(1), 100_000)
    .option('--seed <n>', 'draws the same faults again', wholeNumberFrom(1), 7)
    .option('--instances <n>', 'of the service, at least 2', wholeNumberFrom(1), 3)
    .addOption(
      new Option('--delivery <promise>', 'the promise that is tested')
        .choices(['at-least-once', 'exactly-once'])
        .default('at-least-once'),
    )
    .option(
      '--session <ms>',
      'kafka.sessionTimeoutMs (default: the product’s)',
      wholeNumberFrom(1_000),
    )
    .option('--no-static', 'instances without kafka.instanceId')
    .option('--json', 'data instead of a table', false);
  return program.parse(argv).opts<ChaosOptions>();
}
