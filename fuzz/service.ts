/**
 * The real pipeline with its decoder processes, between an in-memory source and sink; forked with IPC. Whatever
 * ends it, an image that did is a fault.
 */
import { systemClock } from '../src/clock.ts';
import { configSections } from '../src/config-schema.ts';
import { MemoryEventSource } from '../src/consumers/memory-event-source.ts';
import { MemoryTopic, type NewRecord } from '../src/consumers/memory-topic.ts';
import { createEventDecoder } from '../src/events/event-decoder.ts';
import { createSchemeFetcher } from '../src/references/scheme-fetcher.ts';
import { noLists } from '../src/hashes/lists.ts';
import { IMAGE_FORMATS } from '../src/images/sniff-format.ts';
import { createInspector } from '../src/inspector.ts';
import { noTelemetry } from '../src/observability/telemetry.ts';
import { packageFile } from '../src/package-files.ts';
import { limitsOf } from '../src/pipeline-limits.ts';
import { Pipeline } from '../src/pipeline.ts';
import type { VerdictSink } from '../src/producers/verdict-sink.ts';
import type { Order, Report, ServiceSettings } from './service-messages.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as ServiceSettings;
const { model, decoders, timeoutMs, memoryBytes } = settings;
const config = configSections
  .pick({ model: true, batching: true, images: true, dedupe: true, pipeline: true })
  .parse({
    model: { path: model, threads: 1 },
    images: {
      formats: [...IMAGE_FORMATS],
      decoders,
      decodeTimeoutMs: timeoutMs,
      decoderMemoryBytes: memoryBytes,
    },
    // No image waits for a process, so that each has its time from the moment that it is taken.
    pipeline: { maxInFlight: decoders },
  });
const inspector = await createInspector(
  { ...config, policies: packageFile('chaos/policies.yaml') },
  { clock: systemClock, telemetry: noTelemetry },
);

const topic = new MemoryTopic({ topic: 'fuzz' });
process.on('message', (order: Order) => {
  if (order.kind === 'end') topic.end();
  else topic.append(eventOf(order));
});
const onAlone = (): never => process.exit(1); // the suite is gone
process.on('disconnect', onAlone);

const sink: VerdictSink = {
  emit: ({ verdict }) => {
    const { eventId, outcome, reason, timings } = verdict;
    const code = reason?.code ?? null;
    report({ kind: 'outcome', number: Number(eventId), outcome, code, ms: timings.totalMs });
    return Promise.resolve();
  },
  close: () => Promise.resolve(),
};
const pipeline = new Pipeline(
  {
    ...inspector,
    source: new MemoryEventSource(topic),
    lists: noLists,
    events: createEventDecoder(),
    fetcher: createSchemeFetcher([]),
    sink,
    telemetry: noTelemetry,
    clock: systemClock,
  },
  limitsOf(config),
);
await pipeline.run();
await inspector.close();
report({ kind: 'done', restarts: inspector.images.restarts });
process.off('disconnect', onAlone);
process.disconnect();

function eventOf({ number, bytes }: Order & { kind: 'case' }): NewRecord {
  const image = { bytes: Buffer.from(bytes).toString('base64') };
  const event = { eventId: String(number), occurredAt: Date.now(), image };
  return { value: Buffer.from(JSON.stringify(event)) };
}

function report(message: Report): void {
  process.send?.(message);
}
