/**
 * Spans of one event: a root that continues the producer's trace, and one child for each stage. Times come
 * from outside, because stages overlap and are known only when they are over.
 */
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type TextMapGetter,
  type TextMapSetter,
  type Tracer,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Clock } from '../clock.ts';
import type { KafkaRecord } from '../kafka/record.ts';
import { messageOf } from '../errors.ts';
import type { Header, Verdict } from '../events/types.generated.ts';
import { codeOf } from './metrics.ts';
import type { EventTrace } from './telemetry.ts';

/** An event's spans are made when a stage is over. */
export type EventSpans = Omit<EventTrace, 'entered'>;

export interface Tracing {
  start(record: KafkaRecord): EventSpans;
}

/** Leaves the incoming trace context as it is: a trace nobody keeps must not cut the producer's in two. */
const withoutSpans: EventSpans = {
  stage: () => undefined,
  inject: (headers) => [...headers],
  finished: () => undefined,
  abandoned: () => undefined,
};

/** For when no exporter wants traces. */
export const noTracing: Tracing = { start: () => withoutSpans };

export interface TracingOptions {
  tracer: Tracer;
  clock: Clock;
  consumerGroup: string | undefined;
}

const w3c = new W3CTraceContextPropagator();

export function createTracing({ tracer, clock, consumerGroup }: TracingOptions): Tracing {
  return {
    start: (record) => {
      const startedAt = clock.elapsed();
      // Taken anew for each event: the two clocks drift apart over days.
      const epoch = clock.now() - startedAt;
      const parent = w3c.extract(ROOT_CONTEXT, record.headers, headerGetter);
      const producer = trace.getSpanContext(parent);
      const root = tracer.startSpan(
        `process ${record.topic}`,
        {
          kind: SpanKind.CONSUMER,
          startTime: epoch + startedAt,
          attributes: recordAttributes(record, consumerGroup),
          ...(producer && { links: [{ context: producer }] }),
        },
        parent,
      );
      const context = trace.setSpan(parent, root);
      const end = (): void => root.end(epoch + clock.elapsed());
      return {
        stage: (stage, from, to) => {
          if (!root.isRecording()) return;
          tracer.startSpan(stage, { startTime: epoch + from }, context).end(epoch + to);
        },
        inject: (headers) => inject(context, headers),
        finished: (verdict) => {
          root.setAttributes(verdictAttributes(verdict));
          if (verdict.reason) {
            root.setAttribute('error.type', verdict.reason.code);
            root.setStatus({ code: SpanStatusCode.ERROR, message: verdict.reason.message });
          }
          end();
        },
        abandoned: (error) => {
          root.setAttributes({ 'moderato.abandoned': true, 'error.type': codeOf(error) });
          root.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
          end();
        },
      };
    },
  };
}

/** Semantic conventions for messaging and for Kafka; `messaging.system` is the name most backends still read. */
function recordAttributes(record: KafkaRecord, consumerGroup: string | undefined): Attributes {
  return {
    'messaging.system': 'kafka',
    'messaging.system.name': 'kafka',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': record.topic,
    'messaging.destination.partition.id': String(record.partition),
    'messaging.kafka.offset': record.offset,
    'messaging.message.body.size': record.value?.length ?? 0,
    ...(consumerGroup !== undefined && { 'messaging.consumer.group.name': consumerGroup }),
  };
}

function verdictAttributes(verdict: Verdict): Attributes {
  const ids = (mode: string, band: string): string[] =>
    verdict.policies.filter((each) => each.mode === mode && each.band === band).map(({ id }) => id);
  return {
    'moderato.outcome': verdict.outcome,
    'moderato.verdict.id': verdict.verdictId,
    ...(verdict.eventId !== null && { 'moderato.event.id': verdict.eventId }),
    'moderato.policies.block': ids('enforce', 'block'),
    'moderato.policies.review': ids('enforce', 'review'),
    'moderato.policies.shadow_block': ids('shadow', 'block'),
    'moderato.policies.shadow_review': ids('shadow', 'review'),
    'moderato.scores': verdict.policies.map(({ id, score }) => `${id}=${score.toFixed(4)}`),
    'moderato.model.id': verdict.model.id,
    'moderato.bundle.hash': verdict.bundle.hash,
  };
}

const CONTEXT_HEADERS = new Set(w3c.fields());

function inject(context: Context, headers: readonly Header[]): Header[] {
  const carrier = headers.filter(({ name }) => !CONTEXT_HEADERS.has(name.toLowerCase()));
  w3c.inject(context, carrier, headerSetter);
  return carrier;
}

/** A name may be given twice in Kafka; the last one counts. */
const headerGetter: TextMapGetter<readonly Header[]> = {
  keys: (headers) => headers.map(({ name }) => name),
  get: (headers, key) =>
    headers.findLast(({ name }) => name.toLowerCase() === key)?.value?.toString('latin1'),
};

const headerSetter: TextMapSetter<Header[]> = {
  set: (headers, name, value) => {
    headers.push({ name, value: Buffer.from(value, 'latin1') });
  },
};
