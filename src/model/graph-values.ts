import { AppError } from '../errors.ts';

/** An input or output of a graph, as the graph declares it: free sizes have names. */
export interface GraphValue {
  name: string;
  type: string;
  shape: readonly (string | number)[];
}

/** Sizes that a caller chooses: a graph must leave them open. */
const FREE = new Set<string | number>(['batch', 'length']);

/** Throws AppError `model_invalid` unless pixel_values is the only input and fits. */
export function expectPixelInput(
  file: string,
  inputs: readonly GraphValue[],
  types: readonly string[],
  { width, height }: { width: number; height: number },
): GraphValue {
  const input = inputs.find(({ name }) => name === 'pixel_values');
  if (!input || inputs.length !== 1) {
    misfit(file, 'one input pixel_values (a vision tower of its own)', names(inputs));
  }
  expectType(file, input, types);
  expectShape(file, input, ['batch', 3, height, width]);
  return input;
}

/** The output that holds the embedding, by the names that exporters give it. Throws AppError `model_invalid`. */
export function pickOutput(
  file: string,
  outputs: readonly GraphValue[],
  candidates: readonly string[],
  types: readonly string[],
  dimensions: number | null,
): GraphValue {
  const output = candidates
    .map((name) => outputs.find((each) => each.name === name))
    .find((each) => each !== undefined);
  if (!output) misfit(file, `an output ${candidates.join(' or ')}`, names(outputs));
  expectType(file, output, types);
  expectShape(file, output, ['batch', dimensions ?? 'dimensions']);
  return output;
}

/** Throws AppError `model_invalid`. */
export function expectType(
  file: string,
  { name, type }: GraphValue,
  expected: readonly string[],
): void {
  if (!expected.includes(type)) misfit(file, `${name} as ${expected.join(' or ')}`, type);
}

/**
 * A number must be met, a name that is not free stands for any size.
 * Throws AppError `model_invalid`.
 */
export function expectShape(
  file: string,
  { name, shape }: GraphValue,
  expected: readonly (string | number)[],
): void {
  const fits = shape.every((size, axis) => {
    const wanted = expected[axis];
    if (typeof size === 'string') return true;
    return typeof wanted === 'number' ? size === wanted : wanted !== undefined && !FREE.has(wanted);
  });
  if (shape.length === expected.length && fits) return;
  misfit(file, `${name} as ${describe(expected)}`, describe(shape));
}

export function misfit(file: string, expected: string, found: string): never {
  throw new AppError('model_invalid', `loading ${file}: expected ${expected}, found ${found}`);
}

export const names = (values: readonly GraphValue[]): string =>
  values.map(({ name }) => name).join(', ');
const describe = (shape: readonly (string | number)[]): string => `[${shape.join(', ')}]`;
