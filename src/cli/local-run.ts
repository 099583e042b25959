import { pathToFileURL } from 'node:url';
import { systemClock } from '../clock.ts';
import { configSections } from '../config-schema.ts';
import { MemoryEventSource } from '../consumers/memory-event-source.ts';
import { MemoryTopic, type NewRecord } from '../consumers/memory-topic.ts';
import { createEventDecoder } from '../events/event-decoder.ts';
import type { Verdict } from '../events/types.generated.ts';
import { noLists } from '../hashes/lists.ts';
import { createFileFetcher } from '../references/file-fetcher.ts';
import { createInspector, type Inspector } from '../inspector.ts';
import { noTelemetry } from '../observability/telemetry.ts';
import { packageFile } from '../package-files.ts';
import { limitsOf } from '../pipeline-limits.ts';
import { Pipeline } from '../pipeline.ts';
import { createMemoryVerdictSink } from '../producers/memory-verdict-sink.ts';

export interface LocalRun {
  /** Absolute paths. */
  files: readonly string[];
  inspector: Inspector;
  /** In the order in which they are decided; the event is done when it resolves. */
  onVerdict: (verdict: Verdict, file: string) => Promise<void>;
}

export interface LocalOptions {
  policies?: string;
  model?: string;
}

/** The defaults of a configuration, for a run without Kafka. */
const DEFAULTS = configSections
  .pick({ model: true, batching: true, images: true, dedupe: true, pipeline: true })
  .parse({});

/** The inspector of a command that works on files, with the defaults of a configuration. */
export function createLocalInspector(options: LocalOptions): Promise<Inspector> {
  const policies = options.policies ?? packageFile('policies/demo.yaml');
  const model = { ...DEFAULTS.model, path: options.model ?? DEFAULTS.model.path };
  return createInspector(
    { ...DEFAULTS, policies, model },
    { clock: systemClock, telemetry: noTelemetry },
  );
}

/**
 * Judges files through the very pipeline that judges events, on the in-memory adapters.
 * Throws what the pipeline throws.
 */
export async function judgeFiles({ files, inspector, onVerdict }: LocalRun): Promise<void> {
  const { images } = DEFAULTS;
  const topic = new MemoryTopic({ topic: 'files', records: files.values().map(recordOf) });
  const run = new Pipeline(
    {
      ...inspector,
      source: new MemoryEventSource(topic),
      lists: noLists,
      events: createEventDecoder(),
      fetcher: createFileFetcher({ root: '/', maxBytes: images.maxBytes }),
      sink: createMemoryVerdictSink({
        acknowledge: ({ verdict }) => onVerdict(verdict, files[verdict.input.offset] ?? ''),
      }),
      telemetry: noTelemetry,
      clock: systemClock,
    },
    limitsOf(DEFAULTS),
  );
  await run.run();
}

/** The event of one file, by reference. */
function recordOf(file: string): NewRecord {
  const image = { uri: pathToFileURL(file).href };
  const event = { eventId: file, occurredAt: Date.now(), image };
  return { value: Buffer.from(JSON.stringify(event)) };
}
