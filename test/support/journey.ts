import type { Delivery } from '../../src/consumers/event-source.ts';
import { AppError, type ErrorCode } from '../../src/errors.ts';
import { FetchPool } from '../../src/fetch-pool.ts';
import { Gate } from '../../src/gate.ts';
import type { OutageLimits } from '../../src/attempts.ts';
import { Journey } from '../../src/journey.ts';
import { noTelemetry, type Stage } from '../../src/observability/telemetry.ts';
import { Outages, type OutagesOptions } from '../../src/outages.ts';
import { Slot } from '../../src/slot.ts';
import { aRecord } from './builders.ts';
import { FakeClock } from './fake-clock.ts';

export const HOUR = 3_600_000;

interface Setup {
  probe?: OutagesOptions['probe'];
  limits?: Partial<OutageLimits>;
  gate?: Gate;
  places?: number;
}

export function setUp({ probe, limits, gate = new Gate(1), places = 4 }: Setup = {}) {
  const clock = new FakeClock();
  const revoking = new AbortController();
  const ending = new AbortController();
  const parked = { now: 0 };
  const delivery: Delivery = {
    record: aRecord({ partition: 3, offset: 7 }),
    revoked: revoking.signal,
    resolve: () => undefined,
    spent: () => undefined,
    rewind: () => undefined,
    park: () => {
      parked.now += 1;
      return () => (parked.now -= 1);
    },
  };
  const slot = new Slot(gate, 1);
  const trace = noTelemetry.eventStarted(delivery.record);
  const outages = new Outages({ clock, probe });
  const fetches = new FetchPool({ places, clock });
  const journey = new Journey({
    delivery,
    trace,
    telemetry: noTelemetry,
    clock,
    signal: ending.signal,
    outages,
    fetches,
    emitsInOrder: true,
    slot,
    limits: { outageTimeoutMs: HOUR, onOutageTimeout: 'dead-letter', ...limits },
  });
  return { clock, gate, slot, revoking, ending, parked, outages, fetches, journey };
}

export function fault(code: ErrorCode = 'image_store_unavailable'): AppError {
  return new AppError(code, 'fetching image s3://bucket/a: no answer', {
    dependency: 's3://bucket',
  });
}

export const absent = (): Promise<boolean> => Promise.resolve(false);
export const present = (): Promise<boolean> => Promise.resolve(true);

/** Runs a stage that fails until `work` says otherwise; counts its attempts. */
export function stage(
  { journey }: ReturnType<typeof setUp>,
  name: Stage,
  work: () => Promise<string>,
) {
  const attempts = { made: 0 };
  const result = journey.stage(name, () => {
    attempts.made += 1;
    return work();
  });
  result.catch(() => undefined);
  return { attempts, result };
}
