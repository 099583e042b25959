import { pathToFileURL } from 'node:url';
import { systemClock } from '../clock.ts';
import { configSchema, type Config } from '../config-schema.ts';
import type { Delivery, EventSource } from '../consumers/event-source.ts';
import type { Verdict } from '../events/types.generated.ts';
import { createEventDecoder } from '../events/event-decoder.ts';
import { createFileFetcher } from '../images/file-fetcher.ts';
import { createInspector, type Inspector } from '../inspector.ts';
import { noTelemetry } from '../observability/telemetry.ts';
import { packageFile } from '../package-files.ts';
import { Pipeline } from '../pipeline.ts';

export interface LocalRun {
  /** Absolute paths. */
  files: readonly string[];
  inspector: Inspector;
  /** In the order in which they are decided; awaited. */
  onVerdict(verdict: Verdict, file: string): void | Promise<void>;
}

export interface LocalOptions {
  policies?: string;
  model?: string;
}

/** The inspector of a command that works on files, with the defaults of a configuration. */
export function createLocalInspector(options: LocalOptions): Promise<Inspector> {
  return createInspector(
    {
      ...localDefaults(),
      policies: options.policies ?? packageFile('policies/demo.yaml'),
      model: { ...localDefaults().model, path: options.model ?? 'starter' },
    },
    { clock: systemClock, telemetry: noTelemetry },
  );
}

/** Judges files through the very pipeline that judges events, without Kafka. Throws what the pipeline throws. */
export async function judgeFiles({ files, inspector, onVerdict }: LocalRun): Promise<void> {
  const { images, pipeline } = localDefaults();
  const run = new Pipeline(
    {
      ...inspector,
      source: filesSource(files),
      events: createEventDecoder(),
      fetcher: createFileFetcher({ root: '/', maxBytes: images.maxBytes }),
      sink: {
        emit: async ({ verdict }) => {
          await onVerdict(verdict, files[verdict.input.offset] ?? '');
        },
        close: () => Promise.resolve(),
      },
      telemetry: noTelemetry,
      clock: systemClock,
    },
    { ...pipeline, maxImageBytes: images.maxBytes, emitEmbeddings: false },
  );
  await run.run();
}

function localDefaults(): Config {
  return configSchema.parse({
    kafka: { brokers: ['unused:0'] },
    topics: { input: 'files', verdicts: 'verdicts', deadLetters: 'dead-letters' },
    policies: 'unused',
  });
}

/** Files as the records of a topic: the offset is the index. */
function filesSource(files: readonly string[]): EventSource {
  let stopped = false;
  const records = function* (): Generator<Delivery> {
    for (const [offset, file] of files.entries()) {
      if (stopped) return;
      const occurredAt = Date.now();
      const event = { eventId: file, occurredAt, image: { uri: pathToFileURL(file).href } };
      const value = Buffer.from(JSON.stringify(event));
      const position = { topic: 'files', partition: 0, offset, timestamp: occurredAt };
      yield { record: { ...position, key: null, value, headers: [] }, resolve: () => undefined };
    }
  };
  return {
    deliveries: async function* () {
      yield* records();
    },
    stop: () => {
      stopped = true;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
    status: () => ({ alive: true, assigned: true, paused: false, partitions: [] }),
  };
}
