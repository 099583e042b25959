import { sniffFormat, type ImageFormat } from '../src/images/sniff-format.ts';
import type { Entry } from './corpus/entry.ts';
import { Dice } from './dice.ts';
import { mutate } from './mutate.ts';

/** One image that is put through the service. */
export interface Case {
  number: number;
  /** What it is made of, and how. */
  name: string;
  bytes: Buffer;
  /** What its first bytes say that it is. */
  format: ImageFormat | null;
}

export interface CaseSource {
  corpus: readonly Entry[];
  seed: number;
}

/** What is mutated seldom is drawn once in so many times. */
const SELDOM = 200;
/** A mutant that is refused before any decoder sees it is drawn again, so often at most; */
const DRAWS = 5;
/** but once in so many times it is kept. */
const KEPT = 10;

/**
 * The case of a number: the same for the same corpus and seed. The first are the corpus as it is, in an order
 * drawn from the seed; those behind it are mutants.
 */
export function caseOf({ corpus, seed }: CaseSource, number: number): Case {
  if (number < corpus.length) {
    const entry = corpus[(number + new Dice(seed).int(0, corpus.length - 1)) % corpus.length];
    if (entry === undefined) throw new RangeError(`the corpus has no entry for case ${number}`);
    return { number, name: entry.name, bytes: entry.bytes, format: entry.format };
  }
  const dice = new Dice(seed, number);
  const keepsAny = dice.oneIn(KEPT);
  let mutant = drawMutant(corpus, dice);
  const isRefusedUnread = (): boolean => sniffFormat(mutant.bytes) === null;
  for (let draws = 1; !keepsAny && draws < DRAWS && isRefusedUnread(); draws += 1) {
    mutant = drawMutant(corpus, dice);
  }
  return { number, ...mutant, format: sniffFormat(mutant.bytes) };
}

function drawMutant(corpus: readonly Entry[], dice: Dice): Pick<Case, 'name' | 'bytes'> {
  const entry = draw(corpus, dice);
  const { bytes, how } = mutate(entry.bytes, dice, draw(corpus, dice).bytes);
  return { name: `${entry.name}: ${how.join(', ')}`, bytes };
}

/** Each format is drawn as often as any other, whatever the corpus holds of it. */
function draw(corpus: readonly Entry[], dice: Dice): Entry {
  const wanted = dice.oneIn(SELDOM) ? 'seldom' : 'often';
  const drawable = corpus.filter(({ mutated = 'often' }) => mutated === wanted);
  const format = dice.pick([...new Set(drawable.map((entry) => entry.format))]);
  return dice.pick(drawable.filter((entry) => entry.format === format));
}
