import type { FaultPoint } from '../src/fault-points.ts';

/** What the suite tells an instance. */
export type Order =
  | { kind: 'crash-at'; point: FaultPoint; nth: number }
  | { kind: 'kill-inference' }
  | { kind: 'store'; away: boolean };

/** What an instance tells the suite. */
export interface Report {
  running: boolean;
}
