/** Everything that the service does with an event, on the in-memory adapters instead of Kafka. */
import { fetcherOf } from '../../src/fetcher.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { MemoryEventSource } from '../../src/consumers/memory-event-source.ts';
import { MemoryTopic, type NewRecord } from '../../src/consumers/memory-topic.ts';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { noLists } from '../../src/hashes/lists.ts';
import { createInspector } from '../../src/inspector.ts';
import { noTelemetry } from '../../src/observability/telemetry.ts';
import { limitsOf } from '../../src/pipeline-limits.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { createMemoryVerdictSink } from '../../src/producers/memory-verdict-sink.ts';
import { now, photoOf, report, settings } from './child.ts';

const { config } = await loadConfig(settings.configFile);
const inspector = await createInspector(config, { clock: systemClock, telemetry: noTelemetry });

const moments: number[] = [];
const topic = new MemoryTopic({ topic: 'bench', records: records() });
const pipeline = new Pipeline(
  {
    ...inspector,
    source: new MemoryEventSource(topic),
    lists: noLists,
    events: createEventDecoder(),
    fetcher: await fetcherOf(config),
    sink: createMemoryVerdictSink({
      acknowledge: () => {
        moments.push(now());
        return Promise.resolve();
      },
    }),
    telemetry: noTelemetry,
    clock: systemClock,
  },
  limitsOf(config),
);
await pipeline.run();
await report(moments);
await inspector.close();
process.disconnect();

function* records(): Generator<NewRecord> {
  for (let event = 0; event < settings.events; event++) {
    const image = { bytes: photoOf(event).toString('base64') };
    const value = JSON.stringify({ eventId: `${event}`, occurredAt: Date.now(), image });
    yield { value: Buffer.from(value) };
  }
}
