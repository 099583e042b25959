import type { Dice } from '../fuzz/dice.ts';
import type { Kind } from './kind.ts';
import { AVRO_VALUES } from './kinds/avro.ts';
import { ENVELOPES } from './kinds/envelope.ts';
import { GOOD } from './kinds/good.ts';
import { IMAGES } from './kinds/images.ts';
import { JSON_VALUES } from './kinds/json.ts';

export const KINDS: readonly Kind[] = [
  ...GOOD,
  ...ENVELOPES,
  ...JSON_VALUES,
  ...AVRO_VALUES,
  ...IMAGES,
];

/** Draws kinds by their weights, no kind more often than it may be. */
export class Urn {
  readonly #dice: Dice;
  readonly #drawn = new Map<Kind, number>();
  /** Each kind comes once before the dice decide. */
  readonly #first: Kind[];
  readonly #tickets: readonly Kind[];

  constructor(dice: Dice) {
    this.#dice = dice;
    const rest = [...KINDS];
    this.#first = KINDS.map(() => rest.splice(dice.int(0, rest.length - 1), 1)[0] as Kind);
    this.#tickets = KINDS.flatMap((kind) => Array<Kind>(kind.weight).fill(kind));
  }

  draw(): Kind {
    for (;;) {
      const kind = this.#first.pop() ?? this.#dice.pick(this.#tickets);
      const drawn = this.#drawn.get(kind) ?? 0;
      if (drawn >= (kind.most ?? Infinity)) continue;
      this.#drawn.set(kind, drawn + 1);
      return kind;
    }
  }
}
