import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '../../src/logger.ts';
import { startTelemetry } from '../../src/observability/otel-telemetry.ts';
import { aRecord, aVerdict } from '../support/builders.ts';
import { fields, text } from '../support/protobuf.ts';

interface Push {
  path: string;
  contentType: string | undefined;
  body: Buffer;
}

const OTEL_NAMES = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_SERVICE_NAME',
  'OTEL_TRACES_SAMPLER',
  'OTEL_METRICS_EXPORTER',
];

let collector: Server;
let pushes: Push[];
let url: string;
let status: number;

beforeEach(async () => {
  pushes = [];
  status = 200;
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url: path = '', headers } = request;
      pushes.push({ path, contentType: headers['content-type'], body: Buffer.concat(chunks) });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const name of OTEL_NAMES) Reflect.deleteProperty(process.env, name);
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

const options = {
  serviceName: 'moderato-test',
  serviceVersion: '1.2.3',
  registerPrometheus: false,
};

/** One event through telemetry, which is then shut down without waiting for any interval. */
async function oneEvent(otlpUrl?: string, logger?: Logger): Promise<void> {
  const running = await startTelemetry({
    ...options,
    ...(otlpUrl !== undefined && { otlpUrl }),
    ...(logger && { logger }),
  });
  const event = running.telemetry.eventStarted(aRecord());
  event.stage('fetch', 1, 2);
  event.stage('infer', 2, 3);
  event.finished(aVerdict());
  await running.shutdown();
}

const pushed = (path: string): Buffer => {
  const found = pushes.filter((push) => push.path === path);
  if (!found[0] || found.length > 1) throw new Error(`${found.length} pushes to ${path}`);
  return found[0].body;
};

/** ExportTraceServiceRequest of opentelemetry-proto: resource_spans = 1, scope_spans = 2, spans = 2, name = 5. */
function spanNames(body: Buffer): string[] {
  return fields(body, 1)
    .flatMap((resourceSpans) => fields(resourceSpans, 2))
    .flatMap((scopeSpans) => fields(scopeSpans, 2))
    .flatMap((span) => fields(span, 5))
    .map(text);
}

/** resource = 1, attributes = 1, key = 1, value = 2, string_value = 1: the same for traces and for metrics. */
function resourceAttributes(body: Buffer): Record<string, string> {
  const attributes = fields(body, 1)
    .flatMap((resourceSignals) => fields(resourceSignals, 1))
    .flatMap((resource) => fields(resource, 1));
  return Object.fromEntries(
    attributes.map((attribute) => [
      fields(attribute, 1).map(text).join(),
      fields(attribute, 2)
        .flatMap((value) => fields(value, 1))
        .map(text)
        .join(),
    ]),
  );
}

/** resource_metrics = 1, scope_metrics = 2, metrics = 2, name = 1. */
function metricNames(body: Buffer): string[] {
  return fields(body, 1)
    .flatMap((resourceMetrics) => fields(resourceMetrics, 2))
    .flatMap((scopeMetrics) => fields(scopeMetrics, 2))
    .flatMap((metric) => fields(metric, 1))
    .map(text);
}

describe('pushing to a collector', () => {
  it('sends the spans and the metrics that wait when it is shut down', async () => {
    await oneEvent(url);

    const traces = pushed('/v1/traces');
    expect(spanNames(traces)).toEqual(['fetch', 'infer', 'process images']);
    expect(resourceAttributes(traces)).toMatchObject({
      'service.name': 'moderato-test',
      'service.version': '1.2.3',
    });
    const metrics = pushed('/v1/metrics');
    expect(metricNames(metrics)).toEqual(
      expect.arrayContaining(['moderato.events', 'moderato.stage.duration']),
    );
    expect(resourceAttributes(metrics)['service.name']).toBe('moderato-test');
    expect(pushes.map((push) => push.contentType)).toEqual([
      'application/x-protobuf',
      'application/x-protobuf',
    ]);
  });

  it('obeys the standard variables before its own options', async () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = url;
    process.env['OTEL_SERVICE_NAME'] = 'moderato-eu';
    await oneEvent('http://127.0.0.1:9');

    expect(resourceAttributes(pushed('/v1/traces'))['service.name']).toBe('moderato-eu');
    expect(metricNames(pushed('/v1/metrics'))).toContain('moderato.events');
  });

  it('samples as the standard variables say', async () => {
    process.env['OTEL_TRACES_SAMPLER'] = 'parentbased_always_off';
    await oneEvent(url);
    expect(pushes.map((push) => push.path)).toEqual(['/v1/metrics']);
  });

  it('leaves out a signal whose exporter is none', async () => {
    process.env['OTEL_METRICS_EXPORTER'] = 'none';
    await oneEvent(url);
    expect(pushes.map((push) => push.path)).toEqual(['/v1/traces']);
  });

  it('pushes nothing when no collector is named', async () => {
    await oneEvent();
    expect(pushes).toEqual([]);
  });

  it('is told to the log, and stops nothing, when the collector refuses', async () => {
    status = 400;
    const warnings: string[] = [];
    const ignore = (): void => undefined;
    await oneEvent(url, {
      debug: ignore,
      info: ignore,
      warn: (_, msg) => warnings.push(msg),
      error: ignore,
    });
    expect(warnings.join('\n')).toContain('telemetry: ');
  });
});
