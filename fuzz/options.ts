import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { wholeNumberFrom } from '../src/cli/whole-number.ts';

export interface FuzzOptions {
  cases: number;
  seed: number;
  /** This one alone. */
  case?: number;
  decoders: number;
}

export function parseOptions(argv: readonly string[]): FuzzOptions {
  const program = new Command('fuzz')
    .description(
      'puts broken and malicious images through the service and demands a verdict for each',
    )
    .option('--cases <n>', 'images to put through it', wholeNumberFrom(1), 20_000)
    .option('--seed <n>', 'draws the same images again', wholeNumberFrom(1), 3)
    .option('--case <n>', 'one image alone, by its number', wholeNumberFrom(0))
    .option(
      '--decoders <n>',
      'decoder processes; as many as there are cores',
      wholeNumberFrom(1),
      availableParallelism(),
    );
  return program.parse(argv).opts<FuzzOptions>();
}
