import { Command, InvalidArgumentError, Option } from 'commander';
import { EXECUTION_PROVIDERS, type ExecutionProvider } from '../../src/model/clip-encoder.ts';
import { SHAPES, type Precision } from '../vit-model.ts';

export type ShapeName = keyof typeof SHAPES;

export interface GpuBenchOptions {
  provider: ExecutionProvider;
  device: number;
  shapes: ShapeName[];
  precision: Precision[];
  batches: number[];
  /** How long each contender runs in one round, at least one batch. */
  seconds: number;
  rounds: number;
  json: boolean;
}

const PRECISIONS = { fp32: 'float32', fp16: 'float16' } as const;

export function parseOptions(argv: readonly string[]): GpuBenchOptions {
  return new Command('bench:gpu')
    .description('bare onnxruntime against the encoder of Moderato, on one device')
    .addOption(
      new Option('--provider <name>', 'where inference runs')
        .choices(EXECUTION_PROVIDERS)
        .default('cuda'),
    )
    .option('--device <n>', 'which GPU', (text) => whole(text, 0), 0)
    .option('--shapes <list>', 'b32, b16, l14', named(SHAPES), ['b32', 'b16', 'l14'])
    .option(
      '--precision <list>',
      'fp32, fp16',
      (text) => named(PRECISIONS)(text).map((name) => PRECISIONS[name]),
      Object.values(PRECISIONS),
    )
    .option(
      '--batches <list>',
      'images in one inference',
      (text) => text.split(',').map((each) => whole(each, 1)),
      [1, 4, 16, 64, 256],
    )
    .option('--seconds <s>', 'of each contender in each round', (text) => positive(text), 2)
    .option('--rounds <n>', 'in which the contenders take turns', (text) => whole(text, 1), 5)
    .option('--json', 'data instead of a table', false)
    .parse(argv)
    .opts<GpuBenchOptions>();
}

function named<Names extends object>(names: Names): (list: string) => (keyof Names)[] {
  return (list) =>
    list.split(',').map((name) => {
      if (Object.hasOwn(names, name)) return name as keyof Names;
      throw new InvalidArgumentError(`${name} is none of ${Object.keys(names).join(', ')}`);
    });
}

function whole(text: string, least: number): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= least) return value;
  throw new InvalidArgumentError(`not a whole number from ${least}`);
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('not a number above 0');
}
