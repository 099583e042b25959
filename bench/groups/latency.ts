import { setTimeout as sleep } from 'node:timers/promises';
import { configSchema } from '../../src/config-schema.ts';
import { createVerdictDecoder } from '../../src/events/index.ts';
import type { Timings } from '../../src/events/types.generated.ts';
import { withAdmin } from '../../src/kafka/topics.ts';
import { arrivalTimes, type Arrivals, type Published } from '../generator.ts';
import { eventMaker } from '../image-events.ts';
import { withService, workOff, type RunningService } from '../running-service.ts';
import type { Setup } from '../setup.ts';
import { WARM_UP, type Stage } from '../stage.ts';
import { percentilesOf, spreadOf, type Percentiles, type Spread } from '../statistics.ts';
import { endOffsets, readLog } from '../verdict-log.ts';

const LOADS = [0.2, 0.5, 0.8];
/** One after the other, round by round. */
const SECONDS = { full: 8, smoke: 2 };
/** Events at once before the loads: batches are full then. */
const BURST = WARM_UP + 256;
/** Until those of a burst are there. */
const SETTLING_MS = 1_500;

export interface LatencyRow {
  /** Part of the capacity. */
  load: number;
  rate: number;
  events: number;
  /** From the append of the input record to that of its verdict, both by the broker's clock, in ms. */
  latency: Percentiles;
  /** Of each round by itself. */
  p99: Spread;
  /** What it is made of, in ms. */
  parts: {
    /** Until the service took the record: kafkajs' fetch, and the bound on what is in flight. */
    toService: Percentiles;
    /** In the service, until it had decided. */
    inService: Percentiles;
    /** Until the broker appended the verdict: linger, kafkajs, broker. */
    toLog: Percentiles;
  };
  /** Inside the service, in ms, as its verdicts tell. */
  stages: { decode: Percentiles; queue: Percentiles; infer: Percentiles };
  /** How late the generator was, its own producer included, in ms: latency before the service saw anything. */
  generatorLate: Percentiles;
}

export interface Latency {
  /** Events per second while the generator works beside the service. */
  capacity: number;
  arrivals: 'poisson' | 'even';
  /** The largest batch, and the median of how long it took. */
  batch: { size: number; ms: number };
  /** `batching.maxWaitMs` */
  waitMs: number;
  rows: LatencyRow[];
}

interface Seen {
  appendedAt: number;
  decidedAt: number;
  timings: Timings;
}

/**
 * (f) How long an event takes at several loads. An open loop: the load does not wait for the service. Events are in
 * Avro, which costs the generator least.
 */
export async function measureLatency(setup: Setup): Promise<Latency> {
  const { options, photos, say } = setup;
  const { arrivals: kind, rounds, smoke } = options;
  const seconds = smoke ? SECONDS.smoke : SECONDS.full;
  const stage = await setup.stage();
  const phases: Array<{ load: number; published: Published[] }> = [];
  let burst: Published[] = [];
  let capacity = 0;
  const seen = new Map<string, Seen>();
  const make = await eventMaker(photos.files, 'avro');
  await withService({ stage, make }, async (service) => {
    ({ published: burst, rate: capacity } = await workOff(service, BURST));
    // At first roughly, then with a generator that is as busy as the service.
    for (let time = 1; time <= 2; time++) {
      capacity = await capacityBeside(stage, service, { rate: capacity, seconds, kind: 'even' });
    }
    say(`the service's capacity beside the generator: ${capacity.toFixed(0)} events/s`);
    for (let round = 1; round <= rounds; round++) {
      for (const load of LOADS) {
        const times = arrivalTimes({ rate: load * capacity, seconds, kind });
        phases.push({ load, published: await service.publish(times) });
        await service.caughtUp();
      }
      say(
        `round ${round} of ${rounds}: latency at ${LOADS.join(', ')} of ${capacity.toFixed(0)}/s`,
      );
    }
    const decoder = createVerdictDecoder();
    await readLog(stage.kafka, service.verdicts, service.published, async (record) => {
      const { input, decidedAt, timings } = await decoder.decode(record.value);
      seen.set(placeOf(input), { appendedAt: record.appendedAt, decidedAt, timings });
    });
  });
  const of = (published: Published): Seen => {
    const found = seen.get(placeOf(published));
    if (found === undefined) throw new Error(`no verdict of ${placeOf(published)}`);
    return found;
  };
  return {
    capacity,
    arrivals: kind,
    batch: largestBatch(burst.map(of)),
    waitMs: configSchema.shape.batching.parse(undefined).maxWaitMs,
    rows: LOADS.map((load) => {
      const ofLoad = phases.filter((phase) => phase.load === load);
      return rowOf(
        { load, rate: load * capacity },
        ofLoad.map(({ published }) => published.map((one) => ({ ...one, verdict: of(one) }))),
      );
    }),
  };
}

/** What the service does, in events per second, while a burst waits and so many more events arrive. */
async function capacityBeside(
  { kafka }: Stage,
  service: RunningService,
  arrivals: Arrivals,
): Promise<number> {
  return await withAdmin(kafka, 'measuring the capacity', async (admin) => {
    const count = async (): Promise<{ verdicts: number; at: number }> => ({
      verdicts: await endOffsets(admin, service.verdicts),
      at: performance.now(),
    });
    const burst = new Array<number>(BURST).fill(0);
    const publishing = service.publish([...burst, ...arrivalTimes(arrivals)]);
    await sleep(SETTLING_MS);
    const before = await count();
    await publishing;
    const after = await count();
    await service.caughtUp();
    return ((after.verdicts - before.verdicts) * 1000) / (after.at - before.at);
  });
}

function rowOf(
  head: { load: number; rate: number },
  rounds: ReadonlyArray<ReadonlyArray<Published & { verdict: Seen }>>,
): LatencyRow {
  const events = rounds.flat();
  const over = (value: (event: (typeof events)[number]) => number): Percentiles =>
    percentilesOf(events.map(value));
  const latency = (event: (typeof events)[number]): number =>
    event.verdict.appendedAt - event.appendedAt;
  return {
    ...head,
    events: events.length,
    latency: over(latency),
    p99: spreadOf(rounds.map((round) => percentilesOf(round.map(latency)).p99)),
    parts: {
      toService: over(({ verdict, appendedAt }) =>
        Math.max(0, verdict.decidedAt - verdict.timings.totalMs - appendedAt),
      ),
      inService: over(({ verdict }) => verdict.timings.totalMs),
      toLog: over(({ verdict }) => verdict.appendedAt - verdict.decidedAt),
    },
    stages: {
      decode: over(({ verdict }) => verdict.timings.decodeMs ?? 0),
      queue: over(({ verdict }) => verdict.timings.queueMs ?? 0),
      infer: over(({ verdict }) => verdict.timings.inferMs ?? 0),
    },
    generatorLate: over(({ appendedAt, dueAt }) => appendedAt - dueAt),
  };
}

/** Events of one batch have the very same time of inference. */
export function largestBatch(verdicts: ReadonlyArray<Pick<Seen, 'timings'>>): Latency['batch'] {
  const batches = Map.groupBy(verdicts, ({ timings }) => timings.inferMs);
  const size = Math.max(...[...batches.values()].map(({ length }) => length));
  const times = [...batches].filter(([ms, { length }]) => ms !== null && length === size);
  return { size, ms: spreadOf(times.map(([ms]) => ms ?? 0)).median };
}

const placeOf = ({ partition, offset }: { partition: number; offset: number }): string =>
  `${partition}/${offset}`;
