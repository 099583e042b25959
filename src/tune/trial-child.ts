/**
 * The process of one trial: the parts that inspect images in the service, kept as busy as their settings allow. It
 * ends with its parent, and its decoders with it.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { systemClock } from '../clock.ts';
import { AppError, messageOf } from '../errors.ts';
import { peakBytes } from '../images/process-memory.ts';
import { inspectImage } from '../inspect-image.ts';
import { createEmbedder, type Embedder } from '../inspector.ts';
import { noTelemetry } from '../observability/telemetry.ts';
import { ThroughputMeter } from './throughput.ts';
import type { TrialReply, TrialStart } from './trial-messages.ts';

process.once('disconnect', () => process.exit());
const [start] = (await once(process, 'message')) as [TrialStart];
await reply(await run(start));
process.disconnect();

async function run({ config, files, seconds }: TrialStart): Promise<TrialReply> {
  let meter: ThroughputMeter | undefined;
  const telemetry = {
    ...noTelemetry,
    batchInferred: (size: number, _most: number, ms: number) => meter?.batch(size, ms),
  };
  const over = new AbortController();
  try {
    await using started = new AsyncDisposableStack();
    const embedder = started.adopt(
      await createEmbedder(config, { clock: systemClock, telemetry }),
      (it) => it.close(),
    );
    await embedder.images.ready();
    const { concurrency } = embedder.encoder;
    const counting = new ThroughputMeter({
      seconds,
      concurrency,
      elapsed: () => systemClock.elapsed(),
    });
    meter = counting;
    const images = imagesInTurn(files);
    const lane = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await images.next(embedder);
        counting.image();
      }
    };
    const lanes = Promise.all(Array.from({ length: config.pipeline.maxInFlight }, lane));
    await Promise.race([counting.finished, lanes]);
    const memoryMiB = memoryOf(embedder);
    over.abort();
    await lanes;
    return { kind: 'measured', measurement: { ...(await counting.finished), memoryMiB } };
  } catch (error) {
    over.abort();
    if (!(error instanceof AppError)) throw error;
    return { kind: 'failed', code: error.code, message: error.message };
  }
}

/** Inspects the next of the files, over and over; throws when not one of them can be inspected. */
function imagesInTurn(files: readonly string[]): { next(embedder: Embedder): Promise<void> } {
  let taken = 0;
  let failed = 0;
  let anyInspected = false;
  return {
    next: async (embedder) => {
      const file = files[taken++ % files.length] ?? '';
      try {
        // Anew each time: in the service too the encoded bytes are there as long as the event is in flight.
        await inspectImage(embedder, await read(file));
        anyInspected = true;
      } catch (error) {
        if (!isOfTheImage(error)) throw error;
        failed += 1;
        if (anyInspected || failed < files.length) return;
        const why = `none of the ${files.length} images can be inspected; ${file}: ${messageOf(error)}`;
        throw new AppError('usage', `tuning: ${why}`, { cause: error });
      }
    },
  };
}

/** The service has such images as well. */
function isOfTheImage(error: unknown): boolean {
  return (
    error instanceof AppError &&
    error.disposition === 'not-inspected' &&
    error.code !== 'inference_failed'
  );
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new AppError('usage', `reading an image: ${messageOf(cause)}`, { cause });
  }
}

/** Of this process and its decoders, in MiB; what they share is counted in each. */
function memoryOf({ images }: Embedder): number | null {
  const peaks = [process.pid, ...images.pids].flatMap((pid) => peakBytes(pid) ?? []);
  return peaks.length === 0 ? null : peaks.reduce((a, b) => a + b) / 2 ** 20;
}

function reply(message: TrialReply): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
