import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { FAULT_POINTS, type FaultPoint } from '../src/fault-points.ts';

/** Every kind of fault and how often it is drawn, against the others. */
export const WEIGHTS = {
  'instance killed': 6,
  'instance crashes at a point': 8,
  'instance terminated': 4,
  'instance frozen briefly': 3,
  'instance frozen beyond its session': 4,
  'decoder killed': 3,
  'inference thread killed': 3,
  'broker killed': 3,
  'broker restarted': 2,
  'rebalance storm': 2,
  'store away': 3,
} as const;

export type FaultKind = keyof typeof WEIGHTS;
export const FAULT_KINDS = Object.keys(WEIGHTS) as FaultKind[];

export interface Fault {
  kind: FaultKind;
  /** Before it strikes, in ms, while the service works. */
  afterMs: number;
  /** How long it lasts, in ms, where it lasts. */
  forMs: number;
  /** Which of those that it can strike, modulo their number. */
  target: number;
  /** Where an instance crashes, when it comes there for the nth time. */
  point: FaultPoint;
  nth: number;
}

/** How long each kind lasts, in ms. */
const LASTING: Partial<Record<FaultKind, [number, number]>> = {
  'instance frozen briefly': [200, 1_500],
  'instance frozen beyond its session': [4_000, 7_000],
  'broker killed': [1_000, 4_000],
  'broker restarted': [500, 2_000],
  'rebalance storm': [4_000, 6_000],
  'store away': [1_000, 5_000],
};

/** Points that both ways of delivery come by. */
const COMMON = FAULT_POINTS.slice(0, FAULT_POINTS.indexOf('resolved') + 1);
const POINTS: Record<'at-least-once' | 'exactly-once', readonly FaultPoint[]> = {
  'at-least-once': [...COMMON, 'sending', 'sent', 'committing', 'committed'],
  'exactly-once': [
    ...COMMON,
    ...(['transaction-messages', 'transaction-offsets', 'transaction-committed'] as const),
  ],
};

/** The faults of a run: the same for the same seed. The first ones are one of each kind, as far as they reach. */
export function drawSchedule(
  seed: number,
  count: number,
  delivery: 'at-least-once' | 'exactly-once',
): Fault[] {
  const random = xoroshiro128plus(seed);
  const draw = ([from, to]: readonly [number, number]): number => uniformInt(random, from, to);
  const pick = <T>(of: readonly T[]): T => of[draw([0, of.length - 1])] as T;
  const urn = FAULT_KINDS.flatMap((kind) => Array<FaultKind>(WEIGHTS[kind]).fill(kind));
  return Array.from({ length: count }, (_, index) => {
    const kind = FAULT_KINDS[index] ?? pick(urn);
    return {
      kind,
      afterMs: draw([300, 2_000]),
      forMs: draw(LASTING[kind] ?? [0, 0]),
      target: draw([0, 1_000]),
      point: pick(POINTS[delivery]),
      nth: draw([1, 40]),
    };
  });
}
