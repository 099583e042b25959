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
  'broker frozen': 2,
  'broker frozen for a minute': 1,
  'rebalance storm': 2,
  'store away': 3,
  'host away': 2,
  'hot partition': 2,
} as const;

export type FaultKind = keyof typeof WEIGHTS;
/** What strikes one broker: the next one waits until it is over. */
export type BrokerFault = Extract<FaultKind, `broker ${string}`>;
/** What strikes one instance. */
export type InstanceFault = Exclude<
  FaultKind,
  BrokerFault | 'rebalance storm' | 'store away' | 'host away' | 'hot partition'
>;
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
  'instance frozen beyond its session': [1_000, 4_000], // beyond it
  'broker killed': [1_000, 4_000],
  'broker restarted': [500, 2_000],
  'broker frozen': [5_000, 20_000],
  'broker frozen for a minute': [60_000, 90_000],
  'rebalance storm': [4_000, 6_000],
  'store away': [1_000, 5_000],
  'host away': [5_000, 20_000],
};

/** In runs of fewer faults, none lasts for a minute. */
const LONG_RUN = 100;

export function isBrokerFault(kind: FaultKind): kind is BrokerFault {
  return kind.startsWith('broker ');
}

/** Points that every record comes by, and those that a request or a commit for many records comes by. */
const RECORD_POINTS = FAULT_POINTS.slice(0, FAULT_POINTS.indexOf('resolved') + 1);
const REQUEST_POINTS: Record<'at-least-once' | 'exactly-once', readonly FaultPoint[]> = {
  'at-least-once': ['sending', 'sent', 'committing', 'committed'],
  'exactly-once': ['transaction-messages', 'transaction-offsets', 'transaction-committed'],
};

/** The faults of a run: the same for the same seed, each kind at least once where there is room for all. */
export function drawSchedule(
  seed: number,
  count: number,
  delivery: 'at-least-once' | 'exactly-once',
): Fault[] {
  const random = xoroshiro128plus(seed);
  const draw = ([from, to]: readonly [number, number]): number => uniformInt(random, from, to);
  const pick = <T>(of: readonly T[]): T => of[draw([0, of.length - 1])] as T;
  const shuffle = <T>(of: readonly T[]): T[] => {
    const rest = [...of];
    return of.flatMap(() => rest.splice(draw([0, rest.length - 1]), 1));
  };
  const all = FAULT_KINDS.filter((kind) => count >= LONG_RUN || !kind.endsWith('for a minute'));
  const urn = all.flatMap((kind) => Array<FaultKind>(WEIGHTS[kind]).fill(kind));
  const more = Array.from({ length: Math.max(0, count - all.length) }, () => pick(urn));
  const kinds = shuffle([...shuffle(all).slice(0, count), ...more]);
  return kinds.map((kind) => {
    const point = pick([...RECORD_POINTS, ...REQUEST_POINTS[delivery]]);
    return {
      kind,
      afterMs: draw([300, 2_000]),
      forMs: draw(LASTING[kind] ?? [0, 0]),
      target: draw([0, 1_000]),
      point,
      nth: draw([1, RECORD_POINTS.includes(point) ? 40 : 4]),
    };
  });
}
