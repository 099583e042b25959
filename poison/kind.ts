import type { Dice } from '../fuzz/dice.ts';
import type { Entry } from '../fuzz/corpus/entry.ts';
import type { Ports } from './servers.ts';

/**
 * What must become of a record. `judged`: allow, review or block; `dead-letter`: not inspected and a dead letter;
 * `not-inspected`: the verdict and no dead letter; `refused`: one of these two, as an outage decides; `any`: any of
 * these, for what is changed at random.
 */
export type Expected = 'judged' | 'dead-letter' | 'not-inspected' | 'refused' | 'any';

/** A record before it has a place in a batch. */
export interface Draft {
  key: Buffer | null;
  value: Buffer | null;
  headers: Array<[name: Buffer | string, value: Buffer | null]>;
  /** Milliseconds since the epoch. */
  timestamp: bigint;
}

/** What records may refer to. */
export interface Scene {
  /** `images.root`. */
  root: string;
  ports: Ports;
  /** Images that can be inspected. */
  pictures: readonly Buffer[];
  /** Images of which nobody knows. */
  corpus: readonly Entry[];
  seed: number;
  /** Makes names unique. */
  next(): number;
}

export interface Kind {
  name: string;
  expected: Expected;
  /** How often it is drawn, against the others. */
  weight: number;
  /** The most records of it in one run, for what takes long. */
  most?: number;
  /** Has a batch of its own: a broker that refuses it refuses no other. */
  isAlone?: boolean;
  draw(dice: Dice, scene: Scene): Partial<Draft>;
}

/** An event that can be judged, with changes. */
export function event(dice: Dice, scene: Scene, changes: Record<string, unknown> = {}): Buffer {
  return Buffer.from(JSON.stringify({ ...fields(dice, scene), ...changes }));
}

export function fields(dice: Dice, scene: Scene): Record<string, unknown> {
  const bytes = dice.pick(scene.pictures).toString('base64');
  return { eventId: `event ${scene.next()}`, occurredAt: 1_750_000_000_000, image: { bytes } };
}

/** `{"eventId":…}` with more text before its closing brace. */
export function eventWith(dice: Dice, scene: Scene, more: string): Buffer {
  return Buffer.from(`${event(dice, scene).toString().slice(0, -1)},${more}}`);
}
