import { residentBytes } from '../../src/images/process-memory.ts';
import { withAdmin } from '../../src/kafka/topics.ts';
import { arrivalTimes } from '../generator.ts';
import { eventMaker } from '../image-events.ts';
import { childrenOf } from '../process-watch.ts';
import { withService, workOff, type RunningService } from '../running-service.ts';
import type { Setup } from '../setup.ts';
import { trendOf, type Sample, type Trend } from '../trend.ts';
import { endOffsets } from '../verdict-log.ts';

/** Of the rate that the service reaches with a backlog. */
const LOAD = 0.6;
/** One event in so many is a photo, the others are thumbnails. */
const PHOTO_EVERY = 20;
/** Events at once in the beginning: the capacity is measured on the second half, and the cache fills. */
const BURST = { full: 4_000, smoke: 400 };
/** Full soon, so that forgetting is part of the picture. */
const CACHE_BYTES = 1 << 20;
/** Of each partition; segments behind it are deleted, so that the disk does not fill. */
const RETENTION = { 'retention.bytes': `${32 << 20}`, 'segment.bytes': `${8 << 20}` };
const SAY_EVERY_MS = 60_000;
const MIB = 1 << 20;

/** `service` and `decoders` (all of them) are resident sets, the others parts of the first. */
export type Series = 'service' | 'decoders' | 'heap' | 'external' | 'arrayBuffers';

export interface MemoryTrend {
  minutes: number;
  /** Events per second, and what it is part of. */
  rate: number;
  capacity: number;
  events: number;
  /** MiB, in the second half of the time. Without `decoders` where there is no /proc. */
  series: Partial<Record<Series, { first: number; last: number; highest: number; trend: Trend }>>;
}

/**
 * (g) Memory under a steady load in which no picture comes twice. The model is a tiny one, so that many events pass;
 * every image is decoded and inferred.
 */
export async function measureMemory(setup: Setup): Promise<MemoryTrend> {
  const { options, say } = setup;
  const stage = await setup.stage();
  const settings = { model: { path: await setup.tinyModel() }, dedupe: { maxBytes: CACHE_BYTES } };
  const files = await mixedFiles(setup);
  const make = await eventMaker(files, 'avro', (event) => Buffer.from(`#${event}`));
  const samples = new Map<Series, Sample[]>();
  const note = (series: Series, bytes: number): void => {
    const known = samples.get(series) ?? [];
    known.push({ at: Date.now(), value: bytes / MIB });
    samples.set(series, known);
  };
  let pid = 0;
  const onMemory = (usage: NodeJS.MemoryUsage): void => {
    note('service', usage.rss);
    note('heap', usage.heapUsed);
    note('external', usage.external);
    note('arrayBuffers', usage.arrayBuffers);
    void decodersOf(pid).then((bytes) => {
      if (bytes > 0) note('decoders', bytes);
    });
  };
  return await withService(
    { stage, settings, config: RETENTION, make, onMemory },
    async (service) => {
      pid = service.process.pid;
      const burst = options.smoke ? BURST.smoke : BURST.full;
      const capacity = await capacityOf(service, burst);
      const rate = LOAD * capacity;
      say(
        `memory: ${options.minutes} min at ${rate.toFixed(0)} of ${capacity.toFixed(0)} events/s`,
      );
      const seconds = options.minutes * 60;
      const startedAt = Date.now();
      const ticker = setInterval(() => {
        const rss = samples.get('service')?.at(-1)?.value ?? 0;
        say(
          `memory after ${((Date.now() - startedAt) / 60_000).toFixed(0)} min: ${rss.toFixed(0)} MiB`,
        );
      }, SAY_EVERY_MS);
      try {
        await service.publish(arrivalTimes({ rate, seconds, kind: 'even' }));
      } finally {
        clearInterval(ticker);
      }
      const until = Date.now();
      await service.caughtUp();
      await refuseUninspected(setup, service);
      const half = startedAt + (until - startedAt) / 2;
      return {
        minutes: options.minutes,
        rate,
        capacity,
        events: service.published,
        series: Object.fromEntries(
          [...samples].map(([series, all]) => {
            const second = all.filter(({ at }) => at >= half && at <= until);
            return [series, summaryOf(second)];
          }),
        ),
      };
    },
  );
}

/** Events per second over the second half of a burst. */
async function capacityOf(service: RunningService, burst: number): Promise<number> {
  const half = burst / 2;
  await workOff(service, half);
  return (await workOff(service, half)).rate;
}

async function mixedFiles(setup: Setup): Promise<string[]> {
  const photos = setup.photos.files;
  const thumbnails = await setup.thumbnails();
  return photos.flatMap((photo, index) => [
    photo,
    ...Array.from({ length: PHOTO_EVERY - 1 }, (_, at) => {
      return thumbnails[(index + at) % thumbnails.length] ?? photo;
    }),
  ]);
}

/** Bytes of all decoder processes of a service. */
async function decodersOf(pid: number): Promise<number> {
  const children = await childrenOf(pid);
  return children.reduce((sum, child) => sum + (residentBytes(child.pid) ?? 0), 0);
}

async function refuseUninspected(setup: Setup, { notInspected }: RunningService): Promise<void> {
  const { kafka } = await setup.stage();
  const count = await withAdmin(kafka, 'counting verdicts', (admin) =>
    endOffsets(admin, notInspected),
  );
  if (count > 0) throw new Error(`${count} images were not inspected`);
}

function summaryOf(samples: readonly Sample[]) {
  const values = samples.map(({ value }) => value);
  return {
    first: values.at(0) ?? 0,
    last: values.at(-1) ?? 0,
    highest: Math.max(...values),
    trend: trendOf(samples),
  };
}
