import { afterEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import type { Header } from '../../src/events/types.generated.ts';
import { AppError } from '../../src/errors.ts';
import { startTelemetry, type RunningTelemetry } from '../../src/observability/otel-telemetry.ts';
import type { Stage } from '../../src/observability/telemetry.ts';
import { aNotInspectedVerdict, aPolicyResult, aRecord, aVerdict } from '../support/builders.ts';
import { FakeClock } from '../support/fake-clock.ts';

const PRODUCER_TRACE = '0af7651916cd43dd8448eb211c80319c';
const PRODUCER_SPAN = 'b7ad6b7169203331';
const STAGES: Stage[] = ['decode', 'fetch', 'preprocess', 'queue', 'infer', 'score', 'emit'];

const header = (name: string, value: string): Header => ({ name, value: Buffer.from(value) });
const traced = [
  header('traceparent', `00-${PRODUCER_TRACE}-${PRODUCER_SPAN}-01`),
  header('tracestate', 'vendor=abc'),
];

let running: RunningTelemetry;
const clock = new FakeClock();
let spans: InMemorySpanExporter;
let processor: SimpleSpanProcessor;

async function start(): Promise<void> {
  spans = new InMemorySpanExporter();
  processor = new SimpleSpanProcessor({ exporter: spans });
  running = await startTelemetry({
    serviceName: 'moderato-test',
    serviceVersion: '1.2.3',
    registerPrometheus: false,
    consumerGroup: 'moderators',
    clock,
    exportTo: { spanProcessors: [processor] },
  });
}

afterEach(() => running.shutdown());

/** The first spans wait for the resource, whose host is looked up asynchronously. */
async function finishedSpans(): Promise<ReadableSpan[]> {
  await processor.forceFlush();
  return spans.getFinishedSpans();
}
const rootOf = (finished: ReadableSpan[]): ReadableSpan => {
  const roots = finished.filter((span) => span.kind === SpanKind.CONSUMER);
  if (!roots[0] || roots.length > 1) throw new Error(`${roots.length} roots`);
  return roots[0];
};
const ms = ([seconds, nanos]: [number, number]): number => seconds * 1000 + nanos / 1e6;

describe('the trace of an event', () => {
  it("continues the producer's trace and links to it", async () => {
    await start();
    running.telemetry
      .eventStarted(aRecord({ topic: 'images', partition: 3, offset: 42, headers: traced }))
      .finished(aVerdict());

    const root = rootOf(await finishedSpans());
    expect(root.name).toBe('process images');
    expect(root.spanContext().traceId).toBe(PRODUCER_TRACE);
    expect(root.parentSpanContext?.spanId).toBe(PRODUCER_SPAN);
    expect(root.links.map((link) => link.context.spanId)).toEqual([PRODUCER_SPAN]);
    expect(root.attributes).toMatchObject({
      'messaging.system': 'kafka',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'images',
      'messaging.destination.partition.id': '3',
      'messaging.kafka.offset': 42,
      'messaging.consumer.group.name': 'moderators',
    });
    expect(root.resource.attributes['service.name']).toBe('moderato-test');
    expect(root.resource.attributes['service.version']).toBe('1.2.3');
  });

  it('holds every stage as a child, in order and with its own times', async () => {
    await start();
    const begun = clock.elapsed();
    const event = running.telemetry.eventStarted(aRecord({ headers: traced }));
    STAGES.forEach((stage, i) => event.stage(stage, begun + i * 10, begun + i * 10 + 7));
    await clock.advance(80);
    event.finished(aVerdict());

    const finished = await finishedSpans();
    const root = rootOf(finished);
    const children = finished.filter((span) => span !== root);
    expect(children.map((span) => span.name)).toEqual(STAGES);
    for (const [i, child] of children.entries()) {
      expect(child.parentSpanContext?.spanId).toBe(root.spanContext().spanId);
      expect(child.spanContext().traceId).toBe(PRODUCER_TRACE);
      expect(ms(child.startTime) - ms(root.startTime)).toBeCloseTo(i * 10, 1);
      expect(ms(child.duration)).toBeCloseTo(7, 1);
    }
    expect(ms(root.duration)).toBeCloseTo(80, 1);
    expect(ms(root.startTime)).toBeCloseTo(clock.now() - 80, 0);
  });

  it('begins anew for each record that brings none, one trace per event', async () => {
    await start();
    const events = [0, 1, 2].map((offset) => running.telemetry.eventStarted(aRecord({ offset })));
    for (const event of events) {
      event.stage('fetch', clock.elapsed(), clock.elapsed() + 1);
      event.finished(aVerdict());
    }

    const finished = await finishedSpans();
    expect(finished).toHaveLength(6);
    expect(new Set(finished.map((span) => span.spanContext().traceId)).size).toBe(3);
  });

  it('says the outcome and which policies asked for it', async () => {
    await start();
    running.telemetry.eventStarted(aRecord()).finished(
      aVerdict({
        outcome: 'block',
        policies: [
          aPolicyResult({ id: 'firearms', band: 'block', score: 0.97 }),
          aPolicyResult({ id: 'alcohol', band: 'review', score: 0.7 }),
          aPolicyResult({ id: 'tobacco', band: 'block', score: 0.95, mode: 'shadow' }),
        ],
      }),
    );

    const root = rootOf(await finishedSpans());
    expect(root.attributes).toMatchObject({
      'moderato.outcome': 'block',
      'moderato.event.id': 'event-1',
      'moderato.policies.block': ['firearms'],
      'moderato.policies.review': ['alcohol'],
      'moderato.policies.shadow_block': ['tobacco'],
      'moderato.scores': ['firearms=0.9700', 'alcohol=0.7000', 'tobacco=0.9500'],
    });
    expect(root.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('is an error with the code of why the image was not inspected', async () => {
    await start();
    running.telemetry.eventStarted(aRecord()).finished(aNotInspectedVerdict());

    const root = rootOf(await finishedSpans());
    expect(root.attributes['error.type']).toBe('event_undecodable');
    expect(root.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('ends as abandoned when the event goes back', async () => {
    await start();
    running.telemetry
      .eventStarted(aRecord())
      .abandoned(new AppError('kafka_unavailable', 'emitting a verdict: no broker'));

    const root = rootOf(await finishedSpans());
    expect(root.attributes).toMatchObject({
      'moderato.abandoned': true,
      'error.type': 'kafka_unavailable',
    });
  });

  it('makes no span of a trace that its producer did not sample', async () => {
    await start();
    const unsampled = [header('traceparent', `00-${PRODUCER_TRACE}-${PRODUCER_SPAN}-00`)];
    const event = running.telemetry.eventStarted(aRecord({ headers: unsampled }));
    event.stage('fetch', clock.elapsed(), clock.elapsed() + 1);
    event.finished(aVerdict());

    expect(await finishedSpans()).toEqual([]);
    expect(valueOf(event.inject(unsampled), 'traceparent')).toMatch(
      new RegExp(`^00-${PRODUCER_TRACE}-[0-9a-f]{16}-00$`),
    );
  });
});

const valueOf = (headers: Header[], name: string): string | undefined =>
  headers.find((each) => each.name === name)?.value?.toString();

describe('headers of what is emitted', () => {
  it("carry this trace's context in place of the incoming one, and everything else as it was", async () => {
    await start();
    const incoming = [
      header('origin', 'upload'),
      ...traced,
      header('empty', ''),
      { name: 'none', value: null },
    ];
    const event = running.telemetry.eventStarted(aRecord({ headers: incoming }));
    const outgoing = event.inject(incoming);
    event.finished(aVerdict());

    const root = rootOf(await finishedSpans()).spanContext();
    expect(outgoing.filter(({ name }) => name === 'traceparent')).toHaveLength(1);
    expect(valueOf(outgoing, 'traceparent')).toBe(`00-${PRODUCER_TRACE}-${root.spanId}-01`);
    expect(valueOf(outgoing, 'tracestate')).toBe('vendor=abc');
    expect(outgoing.slice(0, 3)).toEqual([incoming[0], incoming[3], incoming[4]]);
    expect(incoming).toHaveLength(5);
  });

  it("keep the producer's context when nobody collects traces", async () => {
    running = await startTelemetry({
      serviceName: 'moderato-test',
      serviceVersion: '1.2.3',
      registerPrometheus: true,
    });
    const event = running.telemetry.eventStarted(aRecord({ headers: traced }));
    expect(event.inject(traced)).toEqual(traced);
  });
});
