import { z } from 'zod';

const ms = z.int().nonnegative();
const count = z.int().positive();
const path = z.string().min(1);
const topic = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'not a Kafka topic name: 1 to 249 of a-z A-Z 0-9 . _ -');

/** Paths are relative to the configuration file. Every key is documented in docs/configuration.md. */
export const configSchema = z.strictObject({
  kafka: z
    .strictObject({
      brokers: z.array(z.string().regex(/^[^\s:]+:\d+$/, 'expected host:port')).min(1),
      clientId: z.string().min(1).default('moderato'),
      groupId: z.string().min(1).default('moderato'),
      /** Where a group without committed offsets begins. */
      startFrom: z.enum(['earliest', 'latest']).default('earliest'),
      tls: z
        .strictObject({
          ca: path.optional(),
          cert: path.optional(),
          key: path.optional(),
          serverName: z.string().optional(),
        })
        .or(z.boolean())
        .default(false),
      /** The password is a secret: MODERATO_KAFKA_SASL_PASSWORD or MODERATO_KAFKA_SASL_PASSWORD_FILE. */
      sasl: z
        .strictObject({
          mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
          username: z.string().min(1),
        })
        .optional(),
      sessionTimeoutMs: count.default(30_000),
      rebalanceTimeoutMs: count.default(60_000),
      heartbeatIntervalMs: count.default(3_000),
      maxWaitMs: count.default(200),
      maxFetchBytes: count.default(8 * 1024 * 1024),
      commitIntervalMs: count.default(1_000),
    })
    .refine((kafka) => kafka.heartbeatIntervalMs * 3 <= kafka.sessionTimeoutMs, {
      error: 'must be at most a third of sessionTimeoutMs',
      path: ['heartbeatIntervalMs'],
    }),
  topics: z.strictObject({
    input: topic,
    verdicts: topic,
    /** A topic for one outcome instead of `verdicts`. */
    routes: z
      .partialRecord(z.enum(['allow', 'review', 'block', 'not_inspected']), topic)
      .default({}),
    deadLetters: topic,
    /** Embeddings are emitted only where this is given. */
    embeddings: topic.optional(),
  }),
  /** exactly-once: verdicts and offsets in transactions, seen once by read_committed consumers. */
  delivery: z.enum(['at-least-once', 'exactly-once']).default('at-least-once'),
  output: z
    .strictObject({
      /** json; avro: single-object encoding; confluent: wire format with the schema registry's ids. */
      format: z.enum(['json', 'avro', 'confluent']).default('json'),
      compression: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none'),
      /** How long a message waits for others to share its request, in ms. */
      lingerMs: ms.default(5),
    })
    .prefault({}),
  /** Needed to read or write Confluent wire format. Secret: MODERATO_REGISTRY_PASSWORD. */
  registry: z.strictObject({ url: z.url(), username: z.string().optional() }).optional(),
  policies: path,
  model: z
    .strictObject({
      /** A folder, `starter`, or the name of a pulled model. */
      path: path.default('starter'),
      executionProvider: z.enum(['cpu', 'cuda']).default('cpu'),
      deviceId: z.int().nonnegative().default(0),
      /** Threads of one inference on the CPU; 0: as many as there are cores. */
      threads: z.int().nonnegative().default(0),
      /** Of one inference; then the device is taken for hung and the process ends. */
      timeoutMs: count.default(120_000),
    })
    .prefault({}),
  batching: z
    .strictObject({
      maxBatchSize: count.default(8),
      maxWaitMs: ms.default(0),
    })
    .prefault({}),
  images: z
    .strictObject({
      /** `file://` references are served from below this folder only; without it they are not served. */
      root: path.optional(),
      maxBytes: count.default(20 * 1024 * 1024),
      maxPixels: count.default(100_000_000),
      maxEdge: count.default(65_535),
      maxFrames: count.default(10_000),
      decodeTimeoutMs: count.default(10_000),
      /**
       * Of one decoder process at work. An idle one may keep half of it and takes 140 MB in normal running, hence
       * the minimum; an AVIF of `maxPixels` takes 1.8 GiB, hence the default.
       */
      decoderMemoryBytes: z
        .int()
        .min(512 * 1024 * 1024)
        .default(2 * 1024 * 1024 * 1024),
      /** Decoder processes; 0: as many as there are cores. */
      decoders: z.int().nonnegative().default(0),
    })
    .prefault({}),
  pipeline: z
    .strictObject({
      /** Events between being taken and being acknowledged; bounds memory. */
      maxInFlight: count.default(64),
      /** Bytes of their records, together. */
      maxInFlightBytes: count.default(128 * 1024 * 1024),
      /** How long the events in flight may take to finish once the process was told to stop. */
      drainTimeoutMs: count.default(25_000),
    })
    .prefault({}),
  observability: z
    .strictObject({
      /** /livez, /readyz and /metrics. */
      http: z
        .strictObject({
          host: z.string().default('0.0.0.0'),
          port: z.int().min(0).max(65_535).default(9464),
        })
        .or(z.literal(false))
        .prefault({}),
      /** The OTLP collector's base URL, for example http://collector:4318; the OTEL_* variables apply too. */
      otlp: z.url().optional(),
      logLevel: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .default('info'),
    })
    .prefault({}),
});

export type Config = z.infer<typeof configSchema>;

/** Kept apart from the configuration so that no log, error or dump of it can hold one. */
export interface Secrets {
  kafkaSaslPassword?: string;
  registryPassword?: string;
}
