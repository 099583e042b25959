// Generated from schemas/*.avsc by `npm run generate`. Do not edit.

export interface Header {
  name: string;
  value: null | Buffer;
}

export interface DeadLetterError {
  code: string;
  message: string;
  stage: string;
}

/** An input record that could not be decoded, kept whole so that it can be redriven, as far as the dead-letter topic has room. */
export interface DeadLetter {
  topic: string;
  partition: number;
  offset: number;
  /** Of the original record. */
  timestamp: number;
  key: null | Buffer;
  value: null | Buffer;
  headers: Array<Header>;
  error: DeadLetterError;
  attempts: number;
  failedAt: number;
  /** What was left out or cut so that the message fits its topic: headers, key, texts, record-headers, record-key, record-value, minimal. With record-* or minimal, this is not the whole record: it cannot be redriven. */
  shrunk: Array<string>;
  /** Of the whole value, where `value` is only its beginning; else null. */
  valueBytes: null | number;
  /** Lower-case hex of the whole value, where `value` is only its beginning; else null. */
  valueSha256: null | string;
}

export interface OtherView {
  /** Zero-based. */
  frame: number;
  /** center | whole | tile */
  crop: string;
  background: null | string;
  vector: Array<number>;
}

/** The embedding of one image, for re-scoring new policies without inference. */
export interface Embedding {
  eventId: string;
  imageSha256: string;
  modelHash: string;
  preprocessing: string;
  /** Unit length; as many numbers as the model has dimensions. Of the first view: that of the first frame that was looked at. */
  vector: Array<number>;
  /** Of the other looks at the image: frames, tiles, backgrounds. */
  others: Array<OtherView>;
}

export interface ImageSource {
  /** The encoded image itself; base64 in JSON. Its format is sniffed, never declared. */
  bytes: null | Buffer;
  /** Where the encoded image is, for example file:///media/a.jpg. */
  uri: null | string;
  /** Lower-case hex of the encoded image; verified when given. */
  sha256: null | string;
}

/** An image to be moderated, as published to the input topic. */
export interface ImageEvent {
  /** The publisher's id of this event; carried into the verdict. */
  eventId: string;
  /** When it happened, in ms since the epoch. JSON may also give an ISO 8601 string. */
  occurredAt: number;
  /** Exactly one of bytes and uri. */
  image: ImageSource;
  /** Where the event came from, for example an upload form. */
  source: null | string;
  tenant: null | string;
  /** Free annotations of the publisher; carried into the verdict. */
  labels: Record<string, string>;
}

export interface InputPosition {
  topic: string;
  partition: number;
  offset: number;
}

export type Outcome = 'allow' | 'review' | 'block' | 'not_inspected';

export type Band = 'allow' | 'review' | 'block';

export interface NotInspectedReason {
  /** Stable and machine-readable; see docs/concepts.md. */
  code: string;
  message: string;
  /** decode | fetch | preprocess | infer | emit */
  stage: string;
  /** The strongest onError of the enforced policies: what the bundle asks to be done with an image that nobody looked at. */
  requested: Band;
}

export type PolicyMode = 'enforce' | 'shadow';

export interface Thresholds {
  review: number;
  /** Null: this policy never blocks. */
  block: null | number;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Region {
  /** Zero-based. */
  frame: number;
  /** center (the centre square) | whole (all of it, squashed where the model wants a square) | tile (one of the squares that cover a long image) | detail (one of the smaller squares of a thorough look) */
  crop: string;
  /** The part of the frame as shown, in pixels. */
  box: null | Box;
  /** What transparency was laid over: white | black | none (the alpha was left out of account); null for an image without. */
  background: null | string;
}

export interface PolicyResult {
  id: string;
  title: string;
  /** A shadow policy is scored and reported and never changes the outcome. */
  mode: PolicyMode;
  /** 0 to 1. */
  score: number;
  /** Where the score falls between the thresholds. */
  band: Band;
  thresholds: Thresholds;
  /** The winning prompt: the policy's prompt nearest to the image. */
  prompt: string;
  /** Cosine similarity of the image and the winning prompt. */
  cosine: number;
  /** Below this cosine the policy does not fire, whatever its score. */
  cosineFloor: null | number;
  /** True when the floor kept the policy from firing. */
  belowFloor: boolean;
  /** The strongest of the contrast and neutral prompts. */
  contrast: null | string;
  /** Cosine of the winning prompt minus that of the strongest contrast. */
  margin: null | number;
  /** The negative list that kept the policy from firing. */
  suppressedBy: null | string;
  /** The frame and the crop of the image that the result was found in. */
  region: Region;
}

export interface Pdq {
  /** 64 lower-case hex digits. */
  hash: string;
  /** 0 to 100; below 50 it matches nothing. */
  quality: number;
}

export interface ImageFacts {
  /** Lower-case hex of the encoded bytes. */
  sha256: string;
  bytes: number;
  /** As sniffed, for example jpeg. */
  format: null | string;
  /** Pixels, as shown (EXIF orientation applied). */
  width: null | number;
  height: null | number;
  frames: null | number;
  /** The file is damaged or ends too early, and what can be decoded of it was inspected. */
  damaged: boolean;
  /** How many looks at it were scored: frames, tiles, backgrounds. */
  views: null | number;
  /** Its perceptual hash, where one was computed. */
  pdq: null | Pdq;
}

export type ListKind = 'block' | 'allow' | 'negative';

export interface ListMatch {
  list: string;
  kind: ListKind;
  /** A match of a shadow list is reported and changes nothing. */
  mode: PolicyMode;
  /** The id of the entry, or its hash. */
  entry: string;
  /** sha256 | pdq */
  by: string;
  /** Bits in which the hashes differ. */
  distance: number;
  /** The policies that a negative list is about; null: all. */
  policies: null | Array<string>;
}

export interface Reused {
  /** sha256 | pdq */
  by: string;
  /** memory | shared | flight (another event with the same image was on its way) */
  store: string;
  /** Bits in which the perceptual hashes differ; 0 for the same bytes. */
  distance: number;
  /** Of the image that was inspected. */
  sha256: string;
}

export interface ModelIdentity {
  id: string;
  /** SHA-256 of the model folder. */
  hash: string;
  /** Version of the way from bytes to views: the same image has the same views under the same version. */
  preprocessing: string;
  /** cpu | cuda | tensorrt */
  executionProvider: string;
}

export interface BundleIdentity {
  version: number;
  /** SHA-256 of the policy bundle's canonical form, and of the content of the lists where there are any. */
  hash: string;
}

export interface Timings {
  fetchMs: null | number;
  decodeMs: null | number;
  queueMs: null | number;
  inferMs: null | number;
  totalMs: number;
}

/** What Moderato says of one image event: exactly one terminal verdict for every input record. */
export interface Verdict {
  /** Deterministic: the same record, looked at in the same way and judged by the same model and bundle, has the same id, so a redelivered duplicate can be told. */
  verdictId: string;
  /** Null when the record could not be decoded; `input` then identifies it. */
  eventId: null | string;
  /** The event's own time. */
  occurredAt: null | number;
  decidedAt: number;
  /** The position of the input record. */
  input: InputPosition;
  source: null | string;
  tenant: null | string;
  labels: Record<string, string>;
  outcome: Outcome;
  /** Why the image was not inspected; null for every other outcome. */
  reason: null | NotInspectedReason;
  /** One result for each policy that is not off, in bundle order; empty when the image was not inspected. */
  policies: Array<PolicyResult>;
  /** Facts about the encoded image, as far as they were reached. */
  image: null | ImageFacts;
  /** The lists of hashes that the image is on, the strongest first; the first one of block and allow decides alone. */
  lists: Array<ListMatch>;
  /** Where the embeddings come from when the image, or one like it, was inspected before; null: it was inspected for this verdict. */
  reused: null | Reused;
  model: ModelIdentity;
  bundle: BundleIdentity;
  /** Milliseconds; null for a stage that was not reached. */
  timings: Timings;
  /** What was left out or cut so that the messages fit their topics: headers, labels, texts, key, policies, minimal, embedding-others, embedding. Empty: nothing. */
  shrunk: Array<string>;
}
