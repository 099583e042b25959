import { z } from 'zod';

const ms = z.int().nonnegative();
const count = z.int().positive();
const path = z.string().min(1);
const HOST = /^(?:\*\.)?[^\s*:/?#@\\[\]]+$|^\[[0-9a-f:.]+\]$/i;
const hosts = z
  .array(
    z
      .string()
      .refine((host) => HOST.test(host) && URL.canParse(`http://${host.replace('*.', '')}`), {
        error: 'expected a host name, *.example.com, 10.0.0.1 or [::1]; ports are in allowPorts',
      }),
  )
  .min(1);
const topic = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'not a Kafka topic name: 1 to 249 of a-z A-Z 0-9 . _ -');

/** `http:` and `https:` references are served from these hosts only; without this section not at all. */
const imagesOverHttp = z
  .strictObject({
    allowHosts: hosts,
    allowPorts: z.array(z.coerce.number().int().min(1).max(65_535)).default([80, 443]),
    /** CIDR ranges that may be connected to although they are not public. */
    allowAddresses: z.array(z.cidrv4().or(z.cidrv6())).default([]),
    connectTimeoutMs: count.default(5_000),
    headersTimeoutMs: count.default(10_000),
    /** Between two pieces of a body. */
    bodyTimeoutMs: count.default(10_000),
    /** Of a whole fetch, redirects included. */
    totalTimeoutMs: count.default(30_000),
    maxRedirects: z.int().nonnegative().default(3),
    connectionsPerHost: count.default(8),
    /** hold: until the host is back; give-up: not_inspected after `attempts`. */
    onOutage: z.enum(['hold', 'give-up']).optional(),
    attempts: count.default(3),
    /** environment: HTTP_PROXY, HTTPS_PROXY and NO_PROXY. No address is judged then. */
    proxy: z.enum(['none', 'environment']).default('none'),
  })
  .transform((http) => ({ ...http, onOutage: http.onOutage ?? patienceWith(http.allowHosts) }));

/** Under a wildcard whoever writes an event can name a host that never answers, and would stop a partition. */
function patienceWith(allowHosts: readonly string[]): 'hold' | 'give-up' {
  return allowHosts.some((host) => host.startsWith('*.')) ? 'give-up' : 'hold';
}

/** `s3:` references; without this section not at all. Credentials come from the AWS SDK's chain. */
const imagesInS3 = z.strictObject({
  region: z.string().min(1).optional(),
  /** The base URL of a store that is not Amazon's. */
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  forcePathStyle: z.boolean().default(false),
  /** The only buckets served; without it, every one that the credentials can read. */
  buckets: z.array(z.string().min(1)).min(1).optional(),
  /** Of a whole fetch. */
  timeoutMs: count.default(30_000),
  /** Of the SDK, before the store is taken for away and the record is held. */
  attempts: count.default(3),
});

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
      decodeTimeoutMs: count.default(10_000),
      /** Decoder processes; 0: as many as there are cores. */
      decoders: z.int().nonnegative().default(0),
      /** References fetched at once over the network; with maxBytes, bounds the memory that they take. */
      fetchConcurrency: count.default(16),
      /** Whether `data:` references are served. */
      data: z.boolean().default(false),
      http: imagesOverHttp.optional(),
      s3: imagesInS3.optional(),
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
