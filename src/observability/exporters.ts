import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  PeriodicExportingMetricReader,
  type IMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

type Env = Readonly<Record<string, string | undefined>>;

/** The part of NodeSDK's configuration that says where traces go. */
export interface TraceDestination {
  wanted: boolean;
  sdk: { traceExporter?: SpanExporter; spanProcessors?: SpanProcessor[] };
}

/**
 * Where traces go: nowhere unless a collector is named. The standard variables come before `otlpUrl`, as
 * everywhere in the configuration; where they name the collector, the SDK reads all of them by itself.
 */
export function traceDestination(otlpUrl: string | undefined, env: Env): TraceDestination {
  const nowhere = { wanted: false, sdk: { spanProcessors: [] } };
  if (env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return nowhere;
  if (endpoint(env, 'TRACES') || env['OTEL_TRACES_EXPORTER']) return { wanted: true, sdk: {} };
  if (otlpUrl === undefined) return nowhere;
  return {
    wanted: true,
    sdk: { traceExporter: new OTLPTraceExporter({ url: signalUrl(otlpUrl, 'traces') }) },
  };
}

const DEFAULT_INTERVAL_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 30_000;

/** Readers that push metrics to a collector, in the order of preference of `traceDestination`. */
export async function metricReaders(
  otlpUrl: string | undefined,
  env: Env,
): Promise<IMetricReader[]> {
  if (env['OTEL_METRICS_EXPORTER'] === 'none') return [];
  const fromEnv = endpoint(env, 'METRICS');
  if (!fromEnv && otlpUrl === undefined) return [];
  const interval = milliseconds(env['OTEL_METRIC_EXPORT_INTERVAL']) ?? DEFAULT_INTERVAL_MS;
  const timeout = milliseconds(env['OTEL_METRIC_EXPORT_TIMEOUT']) ?? DEFAULT_TIMEOUT_MS;
  return [
    new PeriodicExportingMetricReader({
      exporter: fromEnv || otlpUrl === undefined ? await exporterFromEnv(env) : exporterTo(otlpUrl),
      exportIntervalMillis: interval,
      exportTimeoutMillis: Math.min(timeout, interval),
    }),
  ];
}

function exporterTo(otlpUrl: string): OTLPMetricExporter {
  return new OTLPMetricExporter({ url: signalUrl(otlpUrl, 'metrics') });
}

async function exporterFromEnv(env: Env): Promise<PushMetricExporter> {
  const protocol = env['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL'] ?? env['OTEL_EXPORTER_OTLP_PROTOCOL'];
  if (protocol !== 'grpc') return new OTLPMetricExporter();
  const grpc = await import('@opentelemetry/exporter-metrics-otlp-grpc');
  return new grpc.OTLPMetricExporter();
}

function endpoint(env: Env, signal: 'TRACES' | 'METRICS'): boolean {
  return Boolean(
    env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] || env['OTEL_EXPORTER_OTLP_ENDPOINT'],
  );
}

function signalUrl(base: string, signal: 'traces' | 'metrics'): string {
  return `${base.replace(/\/+$/, '')}/v1/${signal}`;
}

function milliseconds(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) && value > 0 ? value : undefined;
}
