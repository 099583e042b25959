/**
 * Moderato as a library: the service itself, and its parts for whoever wants to judge images without Kafka.
 * Consumers of verdicts want `moderato/events` instead.
 */
export { createApp, type App, type Overrides } from './app.ts';
export { systemClock, type Clock } from './clock.ts';
export { loadConfig, type LoadedConfig } from './config.ts';
export { configSchema, type Config, type Secrets } from './config-schema.ts';
export type { Delivery, EventSource, SourceStatus } from './consumers/event-source.ts';
export type { KafkaRecord } from './kafka/record.ts';
export { AppError, type Disposition, type ErrorCode } from './errors.ts';
export type { ImageFetcher } from './references/image-fetcher.ts';
export { createInspector, type Inspector, type InspectorConfig } from './inspector.ts';
export { createLogger, noLogger, type Logger } from './logger.ts';
export type { ClipEncoder, EncoderInfo, UnitVector } from './model/clip-encoder.ts';
export { noTelemetry, type Telemetry } from './observability/telemetry.ts';
export { Pipeline, type PipelineLimits, type PipelineParts } from './pipeline.ts';
export type { Policy, PolicyBundle } from './policies/bundle.ts';
export type { Emission, VerdictSink } from './producers/verdict-sink.ts';
export { VERSION } from './version.ts';
