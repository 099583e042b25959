import { z } from 'zod';
import { topicName, topicsSection } from './config-lanes.ts';
import { FAIR_BY } from './flows.ts';
import { MAX_DISTANCE } from './hashes/hash-index.ts';
import { MATCH_DISTANCE } from './hashes/pdq.ts';
import { IMAGE_FORMATS } from './images/sniff-format.ts';
import { kafkaSection } from './kafka/config-section.ts';
import { EXECUTION_PROVIDERS } from './model/clip-encoder.ts';

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

/** The password is a secret, the user a key of its own, and everything else about the connection is ours to say. */
function isStoreUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    /^rediss?:$/.test(url.protocol) &&
    url.hostname !== '' &&
    /^(\/\d*)?$/.test(url.pathname) &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '')
  );
}

const list = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected up to 64 of a-z 0-9 . _ -'),
    kind: z.enum(['block', 'allow', 'negative']),
    mode: z.enum(['enforce', 'shadow']).default('enforce'),
    /** One of the two: a file, read again when it changes, or a compacted topic. */
    file: path.optional(),
    topic: topicName.optional(),
    /** Of a file whose lines do not say it. */
    hashType: z.enum(['pdq', 'sha256', 'auto']).default('auto'),
    /** The most bits between PDQ hashes that match. */
    distance: z.int().min(0).max(MAX_DISTANCE).default(MATCH_DISTANCE),
    /** Of a negative list: the policies that it keeps from firing; all of them where it is not given. */
    policies: z.array(z.string().min(1)).min(1).optional(),
  })
  .refine(({ file, topic }) => (file === undefined) !== (topic === undefined), {
    error: 'expected either file or topic',
  })
  .refine(({ kind, policies }) => kind === 'negative' || policies === undefined, {
    error: 'only for a negative list',
    path: ['policies'],
  });

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
    /** Over `bodyTimeoutMs`; a host that sends less counts as absent. */
    minBytesPerSecond: z.int().nonnegative().default(1_000),
    maxRedirects: z.int().nonnegative().default(3),
    connectionsPerHost: count.default(8),
    /**
     * hold: until the host is back; give-up: not_inspected after `attempts`, or when the host has been absent for
     * longer than `totalTimeoutMs`.
     */
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
export const configSections = z.strictObject({
  kafka: kafkaSection,
  topics: topicsSection,
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
  /** Known images, by their hashes. */
  lists: z
    .array(list)
    .refine((lists) => new Set(lists.map(({ id }) => id)).size === lists.length, {
      error: 'two lists have the same id',
    })
    .default([]),
  model: z
    .strictObject({
      /** A folder, `starter`, or the name of a pulled model. */
      path: path.default('starter'),
      executionProvider: z.enum(EXECUTION_PROVIDERS).default('cpu'),
      /** Which of the model's graphs: part of its identity. */
      precision: z.enum(['fp32', 'fp16', 'int8']).default('fp32'),
      /** plain: normalising and comparing are computed around the graph as it was exported. */
      graph: z.enum(['prepared', 'plain']).default('prepared'),
      /** The GPUs that are used. */
      devices: z.array(z.coerce.number().int().nonnegative()).min(1).default([0]),
      /** Inferences that run at once, on each GPU or on the CPU; each holds the vision tower's weights. 0: see cores.ts. */
      workers: z.int().nonnegative().default(0),
      /** Threads of one inference on the CPU; 0: the cores are shared out among the workers. */
      threads: z.int().nonnegative().default(0),
      /** Of one inference; then the device is taken for hung and the process ends. */
      timeoutMs: count.default(120_000),
    })
    .prefault({}),
  batching: z
    .strictObject({
      maxBatchSize: count.default(4),
      maxWaitMs: ms.default(0),
    })
    .prefault({}),
  images: z
    .strictObject({
      /** `file://` references are served from below this folder only; without it they are not served. */
      root: path.optional(),
      maxBytes: count.default(20 * 1024 * 1024),
      /** TIFF by choice: its decoder is the one with the longest record of faults. */
      formats: z
        .array(z.enum(IMAGE_FORMATS))
        .min(1)
        .default(IMAGE_FORMATS.filter((format) => format !== 'tiff')),
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
      /** The most frames of an animation that are inspected: first, last, the others evenly between. */
      sampledFrames: count.default(6),
      /** How closely an image is looked at: once, at least once at each pixel, or at what is small in it too. */
      views: z.enum(['single', 'standard', 'thorough']).default('standard'),
      /** The most squares that a long image is covered with; below 2 it is squashed into one. */
      tiles: z.int().nonnegative().default(6),
      /** A damaged image: what can be decoded of it is inspected and marked, or it is `not_inspected`. */
      damaged: z.enum(['inspect', 'refuse']).default('inspect'),
      /** References fetched at once over the network; with maxBytes, bounds the memory that they take. */
      fetchConcurrency: count.default(16),
      /** Whether `data:` references are served. */
      data: z.boolean().default(false),
      http: imagesOverHttp.optional(),
      s3: imagesInS3.optional(),
    })
    .prefault({}),
  /** A picture that was inspected is not decoded and embedded again. */
  dedupe: z
    .strictObject({
      /** What is kept in memory; 0 switches all of it off, the shared store included. */
      maxBytes: z
        .int()
        .nonnegative()
        .default(64 * 1024 * 1024),
      /** Bits in which the PDQ hash of another picture may differ to be taken for this one; null: never. */
      nearDistance: z.int().min(0).max(64).nullable().default(null),
      /** Redis or Valkey. Secret: MODERATO_CACHE_PASSWORD. */
      shared: z
        .strictObject({
          url: z.string().refine(isStoreUrl, {
            error: 'expected redis://host:port/db or rediss://…, without credentials',
          }),
          username: z.string().min(1).optional(),
          ca: path.optional(),
          ttlSeconds: count.default(7 * 24 * 60 * 60),
          timeoutMs: count.default(50),
        })
        .optional(),
    })
    .prefault({}),
  pipeline: z
    .strictObject({
      /** Events between being taken and being acknowledged; bounds memory. */
      maxInFlight: count.default(64),
      /** Bytes of their records, together. */
      maxInFlightBytes: count.default(128 * 1024 * 1024),
      /** What shares a partition fairly, among the records of it that were fetched. Not with exactly-once. */
      fairBy: z.enum(FAIR_BY).default('partition'),
      /** How long one event may wait for a store, a host or the registry that is absent. */
      outageTimeoutMs: count.default(3_600_000),
      /** What becomes of it then: both give a not_inspected verdict; a dead letter can be redriven. */
      onOutageTimeout: z.enum(['dead-letter', 'not-inspected']).default('dead-letter'),
      /** Unexplained deaths of the process at one record before it is quarantined; 0: never. */
      quarantineAfter: z.int().nonnegative().default(3),
      /** Events of one partition in hand, those that wait for an outage included: what a crash repeats at most. */
      window: count.default(256),
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

/** The sections, and what one does not show alone. */
export const configSchema = configSections.superRefine(checkFairness, { when: () => true });

/** `config` may be anything: other checks may have failed. */
function checkFairness(config: Partial<Config>, context: z.core.$RefinementCtx): void {
  const fairBy = config.pipeline?.fairBy;
  if (config.delivery !== 'exactly-once' || (fairBy !== 'tenant' && fairBy !== 'key')) return;
  context.addIssue({
    code: 'custom',
    path: ['pipeline', 'fairBy'],
    message: `${fairBy} is of no use with delivery: exactly-once, which writes verdicts in the order of offsets; expected partition`,
  });
}

export type Config = z.infer<typeof configSchema>;

/** Kept apart from the configuration so that no log, error or dump of it can hold one. */
export interface Secrets {
  kafkaSaslPassword?: string;
  registryPassword?: string;
  cachePassword?: string;
  /** Proves the origin of redriven records; see docs/adr/0023-redrive-identity.md. */
  redriveKey?: string;
  /** Which frames of an animation are looked at cannot be foreseen without it. */
  frameKey?: string;
}
