import type { ServerResponse } from 'node:http';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { DataPointType, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { messageOf } from '../errors.ts';
import type { HttpHandler } from './http-server.ts';

/** A reader for the SDK, and the handler that answers a scrape with what it read. */
export function prometheusScrape(): { reader: PrometheusExporter; handler: HttpHandler } {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  const scrape = async (response: ServerResponse): Promise<void> => {
    try {
      const { resourceMetrics } = await reader.collect();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(serializer.serialize(withUnitSuffixes(resourceMetrics)));
    } catch (error) {
      response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(`collecting metrics: ${messageOf(error)}\n`);
    }
  };
  return {
    reader,
    handler: (_request, response) => {
      void scrape(response);
    },
  };
}

const SUFFIXES: Record<string, string> = { s: '_seconds', By: '_bytes' };

/**
 * Names with their unit, as the OpenTelemetry specification asks of Prometheus exporters and as collectors
 * write them, so that dashboards fit whichever way the metrics came. The exporter itself leaves units out.
 */
function withUnitSuffixes(metrics: ResourceMetrics): ResourceMetrics {
  return {
    ...metrics,
    scopeMetrics: metrics.scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map((metric) => ({
        ...metric,
        descriptor: { ...metric.descriptor, name: metric.descriptor.name + suffixOf(metric) },
      })),
    })),
  };
}

function suffixOf({ descriptor, dataPointType }: MetricData): string {
  if (descriptor.unit === '1') return dataPointType === DataPointType.GAUGE ? '_ratio' : '';
  return SUFFIXES[descriptor.unit] ?? '';
}
