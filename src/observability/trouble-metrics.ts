import type { Meter } from '@opentelemetry/api';
import type { Absence } from './absences.ts';
import { STALL_KINDS, type Stall } from './stalls.ts';

/** What keeps records waiting. */
export interface Trouble {
  /** The dependencies that are absent now. */
  absent: () => readonly Absence[];
  /** What stands still, as seen last. */
  stalls: () => readonly Stall[];
}

/** Labels are bounded: hosts are not, for whoever writes an event names them. */
const DEPENDENCY_KINDS = ['http', 'https', 's3', 'file', 'other'] as const;

/** Every kind is told each time, for the SDK repeats the last value of one that is left out. */
export function observeTrouble(meter: Meter, { absent, stalls }: Trouble): void {
  const parked = meter.createObservableGauge('moderato.parked', {
    unit: '{record}',
    description: 'Records that wait for an absent dependency, by its kind.',
  });
  const outages = meter.createObservableGauge('moderato.outages', {
    unit: '{dependency}',
    description: 'Dependencies that are absent, by kind.',
  });
  const standing = meter.createObservableGauge('moderato.stalls', {
    unit: '{stall}',
    description: 'Partitions that have records and do not move, by cause.',
  });
  meter.addBatchObservableCallback(
    (result) => {
      const byKind = Map.groupBy(absent(), ({ dependency }) => kindOf(dependency));
      for (const dependency of DEPENDENCY_KINDS) {
        const found = byKind.get(dependency) ?? [];
        const waiting = found.reduce((sum, each) => sum + each.waiting, 0);
        result.observe(parked, waiting, { dependency });
        result.observe(outages, found.length, { dependency });
      }
      const found = stalls();
      for (const kind of STALL_KINDS) {
        const count = found.filter((stall) => stall.kind === kind).length;
        result.observe(standing, count, { kind });
      }
    },
    [parked, outages, standing],
  );
}

function kindOf(dependency: string): (typeof DEPENDENCY_KINDS)[number] {
  const scheme = dependency.split('://', 1)[0];
  return DEPENDENCY_KINDS.find((kind) => kind === scheme) ?? 'other';
}
