/** Whole, valid messages for tests: each takes what the test is about and fills in the rest. */
import { createHash } from 'node:crypto';
import type { KafkaRecord } from '../../src/kafka/record.ts';
import type {
  DeadLetter,
  Embedding,
  ImageEvent,
  ImageSource,
  PolicyResult,
  Region,
  Verdict,
} from '../../src/events/types.generated.ts';

/** The smallest PNG: one grey pixel. */
export const PIXEL_PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg==',
  'base64',
);

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

export function anImageSource(overrides: Partial<ImageSource> = {}): ImageSource {
  return {
    bytes: typeof overrides.uri === 'string' ? null : PIXEL_PNG,
    uri: null,
    sha256: null,
    ...overrides,
  };
}

export function anImageEvent(
  overrides: Omit<Partial<ImageEvent>, 'image'> & { image?: Partial<ImageSource> } = {},
): ImageEvent {
  return {
    eventId: 'event-1',
    occurredAt: 1_750_000_000_000,
    source: null,
    tenant: null,
    labels: {},
    ...overrides,
    image: anImageSource(overrides.image),
  };
}

/** `event` as a publisher would write it in JSON. */
export function asJson(event: ImageEvent): Buffer {
  const { bytes } = event.image;
  return Buffer.from(
    JSON.stringify({
      ...event,
      image: { ...event.image, bytes: bytes === null ? null : bytes.toString('base64') },
    }),
  );
}

/** By default a record whose value is a valid image event in JSON. */
export function aRecord(overrides: Partial<KafkaRecord> = {}): KafkaRecord {
  return {
    topic: 'images',
    partition: 0,
    offset: 0,
    timestamp: 1_750_000_000_000,
    key: null,
    value: overrides.value === undefined ? asJson(anImageEvent()) : null,
    headers: [],
    ...overrides,
  };
}

export function aRegion(overrides: Partial<Region> = {}): Region {
  const box = { left: 0, top: 0, width: 1, height: 1 };
  return { frame: 0, crop: 'center', box, background: null, ...overrides };
}

export function aPolicyResult(overrides: Partial<PolicyResult> = {}): PolicyResult {
  return {
    id: 'firearms',
    title: 'Firearms',
    mode: 'enforce',
    score: 0.97,
    band: 'block',
    thresholds: { review: 0.6, block: 0.9 },
    prompt: 'a rifle',
    cosine: 0.31,
    cosineFloor: 0.2,
    belowFloor: false,
    contrast: 'a water pistol',
    margin: 0.09,
    suppressedBy: null,
    region: aRegion(),
    ...overrides,
  };
}

/** By default a `block` verdict with one policy result. */
export function aVerdict(overrides: Partial<Verdict> = {}): Verdict {
  return {
    verdictId: '0123456789abcdef0123456789abcdef',
    eventId: 'event-1',
    occurredAt: 1_750_000_000_000,
    decidedAt: 1_750_000_000_250,
    input: { topic: 'images', partition: 0, offset: 0 },
    source: null,
    tenant: null,
    labels: {},
    outcome: 'block',
    reason: null,
    policies: [aPolicyResult()],
    image: {
      sha256: sha256(PIXEL_PNG),
      bytes: PIXEL_PNG.length,
      format: 'png',
      width: 1,
      height: 1,
      frames: 1,
      damaged: false,
      views: 1,
      pdq: null,
    },
    lists: [],
    reused: null,
    model: {
      id: 'starter',
      hash: sha256('model'),
      preprocessing: '1',
      executionProvider: 'cpu',
    },
    bundle: { version: 1, hash: sha256('bundle') },
    timings: { fetchMs: 0, decodeMs: 4.2, queueMs: 0.3, inferMs: 18.5, totalMs: 24.1 },
    shrunk: [],
    ...overrides,
  };
}

/** By default for a record that could not be decoded. */
export function aNotInspectedVerdict(overrides: Partial<Verdict> = {}): Verdict {
  return aVerdict({
    eventId: null,
    occurredAt: null,
    outcome: 'not_inspected',
    reason: {
      code: 'event_undecodable',
      message: 'decoding a record: neither JSON nor Avro',
      stage: 'decode',
      requested: 'review',
    },
    policies: [],
    image: null,
    timings: { fetchMs: null, decodeMs: null, queueMs: null, inferMs: null, totalMs: 0.4 },
    ...overrides,
  });
}

export function aDeadLetter(overrides: Partial<DeadLetter> = {}): DeadLetter {
  return {
    topic: 'images',
    partition: 0,
    offset: 0,
    timestamp: 1_750_000_000_000,
    key: Buffer.from('key-1'),
    value: Buffer.from('not an image event'),
    headers: [{ name: 'origin', value: Buffer.from('test') }],
    error: {
      code: 'event_undecodable',
      message: 'decoding a record: neither JSON nor Avro',
      stage: 'decode',
    },
    attempts: 1,
    failedAt: 1_750_000_000_300,
    shrunk: [],
    valueBytes: null,
    valueSha256: null,
    ...overrides,
  };
}

/** By default of four dimensions; exact in single precision, so that it survives Avro unchanged. */
export function anEmbedding(overrides: Partial<Embedding> = {}): Embedding {
  return {
    eventId: 'event-1',
    imageSha256: sha256(PIXEL_PNG),
    modelHash: sha256('model'),
    preprocessing: '1',
    vector: [0.5, -0.5, 0.5, 0.5],
    others: [],
    ...overrides,
  };
}
