import { InvalidArgumentError } from 'commander';

/** For commander: what an option's text says, a whole number from `least` on. */
export function wholeNumberFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`expected a whole number from ${least}`);
    return value;
  };
}
