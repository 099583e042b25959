import type { FaultPoint } from '../src/fault-points.ts';
import type { Host } from './flaky-store.ts';

/** What the suite tells an instance. */
export type Order =
  | { kind: 'crash-at'; point: FaultPoint; nth: number }
  | { kind: 'kill-inference' }
  | { kind: 'away'; hosts: readonly Host[] };

/** What an instance tells the suite. */
export interface Report {
  running: boolean;
}
