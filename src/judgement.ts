import { hash } from 'node:crypto';
import type { InspectedImage } from './cache/embedding-cache.ts';
import type { KafkaRecord } from './kafka/record.ts';
import { AppError } from './errors.ts';
import { originOf } from './events/origin.ts';
import type {
  Embedding,
  Header,
  ImageEvent,
  ImageFacts,
  NotInspectedReason,
  Outcome,
  ListMatch,
  PolicyResult,
  Reused,
  Verdict,
} from './events/types.generated.ts';
import { verdictId } from './events/verdict-id.ts';
import type { HashLists } from './hashes/lists.ts';
import type { LoadedImage } from './references/load-image.ts';
import type { Journey } from './journey.ts';
import type { EncoderInfo } from './model/clip-encoder.ts';
import type { PolicyBundle } from './policies/bundle.ts';
import { requestedOnError } from './policies/decide.ts';
import type { EmbeddedView } from './policies/score-views.ts';
import { cutText } from './producers/cut-text.ts';
import { MAX_REASON_BYTES, deadLetterOf } from './producers/dead-letter.ts';
import type { Emission } from './producers/verdict-sink.ts';

/** What the verdicts of one process have in common. */
export interface Judge {
  encoder: EncoderInfo;
  bundle: PolicyBundle;
  lists: Pick<HashLists, 'version'>;
  /** Proves the origin of redriven records; without one each record is an event of its own. */
  redriveKey?: string | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What is known of one record so far; in the end, everything that is emitted for it. */
export class Judgement {
  readonly #judge: Judge;
  readonly #record: KafkaRecord;
  readonly #journey: Journey;
  #event: ImageEvent | undefined;
  #image: ImageFacts | null = null;
  #outcome: Outcome = 'not_inspected';
  #policies: PolicyResult[] = [];
  #views: readonly EmbeddedView[] = [];
  #reused: Reused | null = null;
  #lists: ListMatch[] = [];
  /** What it is judged by besides the model; lists are reloaded as the process runs. */
  #bundleHash: string;
  #error: AppError | undefined;

  constructor(judge: Judge, record: KafkaRecord, journey: Journey) {
    this.#judge = judge;
    this.#record = record;
    this.#journey = journey;
    this.#bundleHash = effectiveHash(judge);
  }

  decoded(event: ImageEvent): void {
    this.#event = event;
  }

  loaded(image: LoadedImage): void {
    const bytes = image.bytes.length;
    this.#image = {
      sha256: image.sha256,
      bytes,
      format: null,
      width: null,
      height: null,
      frames: null,
      damaged: false,
      views: null,
      pdq: null,
    };
  }

  preprocessed(image: Omit<InspectedImage, 'views'>): void {
    if (this.#image === null) return;
    const { format, width, height, frames, damaged, pdq } = image;
    this.#image = { ...this.#image, format, width, height, frames, damaged, pdq };
  }

  inspected(image: InspectedImage, reused: Reused | null): void {
    this.preprocessed(image);
    this.#views = image.views;
    if (this.#image) this.#image.views = image.views.length;
    this.#reused = reused;
  }

  /** On which lists the image is, the strongest first, as of now. */
  listed(matches: ListMatch[]): void {
    this.#lists = matches;
    this.#bundleHash = effectiveHash(this.#judge);
  }

  decided(outcome: Outcome, policies: PolicyResult[]): void {
    this.#outcome = outcome;
    this.#policies = policies;
  }

  /** Whether `error` is an answer about this record (then it becomes its reason) and not a fault of ours. */
  explainedBy(error: unknown): boolean {
    if (!(error instanceof AppError)) return false;
    if (error.disposition !== 'not-inspected' && error.disposition !== 'dead-letter') return false;
    this.#error = error;
    return true;
  }

  emission(headers: Header[], withEmbedding: boolean): Emission {
    const emission: Emission = {
      key: this.#record.key,
      headers,
      verdict: this.#verdict(),
      onError: requestedOnError(this.#judge.bundle),
    };
    if (this.#error?.disposition === 'dead-letter') {
      emission.deadLetter = deadLetterOf(
        this.#record,
        { code: this.#error.code, message: this.#error.message, stage: this.#journey.stageName },
        this.#judge.now(),
      );
    }
    if (withEmbedding) {
      const embedding = this.#embedding();
      if (embedding) emission.embedding = embedding;
    }
    return emission;
  }

  #embedding(): Embedding | undefined {
    const [first, ...others] = this.#views;
    if (first === undefined || this.#event === undefined || this.#image === null) return undefined;
    const { encoder } = this.#judge;
    return {
      eventId: this.#event.eventId,
      imageSha256: this.#image.sha256,
      modelHash: encoder.hash,
      preprocessing: encoder.preprocessing,
      vector: Array.from(first.embedding),
      others: others.map(({ region: { frame, crop, background }, embedding }) => ({
        frame,
        crop,
        background,
        vector: Array.from(embedding),
      })),
    };
  }

  #verdict(): Verdict {
    const { topic, partition, offset } = this.#record;
    const { encoder, bundle, redriveKey } = this.#judge;
    const event = this.#event;
    const eventId = event?.eventId ?? null;
    return {
      verdictId: verdictId({
        eventId,
        ...originOf(this.#record, redriveKey), // redriven any number of times, it is the same event
        modelHash: encoder.hash,
        preprocessing: encoder.preprocessing,
        bundleHash: this.#bundleHash,
      }),
      eventId,
      occurredAt: event?.occurredAt ?? null,
      decidedAt: this.#judge.now(),
      input: { topic, partition, offset },
      source: event?.source ?? null,
      tenant: event?.tenant ?? null,
      labels: event?.labels ?? {},
      outcome: this.#outcome,
      reason: this.#reason(),
      policies: this.#policies,
      image: this.#image,
      lists: this.#lists,
      reused: this.#reused,
      model: {
        id: encoder.id,
        hash: encoder.hash,
        preprocessing: encoder.preprocessing,
        executionProvider: encoder.executionProvider,
      },
      bundle: { version: bundle.version, hash: this.#bundleHash },
      timings: {
        fetchMs: this.#journey.duration('fetch'),
        decodeMs: this.#journey.duration('preprocess'),
        queueMs: this.#journey.duration('queue'),
        inferMs: this.#journey.duration('infer'),
        totalMs: this.#journey.total(),
      },
      shrunk: [],
    };
  }

  #reason(): NotInspectedReason | null {
    if (this.#error === undefined) return null;
    const { code, message } = this.#error;
    const requested = requestedOnError(this.#judge.bundle);
    return {
      code,
      message: cutText(message, MAX_REASON_BYTES),
      stage: this.#journey.stageName,
      requested,
    };
  }
}

/** Verdicts by the same policies and the same lists have the same hash. */
function effectiveHash({ bundle, lists }: Judge): string {
  if (lists.version === '') return bundle.hash;
  return hash('sha256', `${bundle.hash}\n${lists.version}`);
}
