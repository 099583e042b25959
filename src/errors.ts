/**
 * What becomes of the record that an error struck:
 * - `retry`: an infrastructure fault; the record is held and tried again, never judged.
 * - `dead-letter`: the record itself is unusable; it goes to the dead-letter topic with a `not_inspected` verdict.
 * - `not-inspected`: the event is fine but its image cannot be inspected; a `not_inspected` verdict says why.
 * - `revoked`: the record is not ours any more; nothing is emitted for it here, and its next owner reads it again.
 * - `fatal`: the process must stop; the record is not acknowledged and is read again by the next owner.
 */
export type Disposition = 'retry' | 'dead-letter' | 'not-inspected' | 'revoked' | 'fatal';

/** Every error code and its disposition. Codes are part of the verdict contract: never rename one. */
export const DISPOSITIONS = {
  // decoding a record
  event_empty: 'dead-letter',
  event_undecodable: 'dead-letter',
  event_invalid: 'dead-letter',
  event_schema_unknown: 'dead-letter',
  event_schema_incompatible: 'dead-letter',
  registry_unavailable: 'retry',
  registry_rejected: 'fatal',

  // taking a record out of its batch
  event_batch_too_large: 'dead-letter',
  event_batch_corrupt: 'dead-letter',
  event_too_large: 'dead-letter',
  event_headers_too_large: 'dead-letter',

  // fetching an image
  image_uri_invalid: 'not-inspected',
  image_scheme_unsupported: 'not-inspected',
  image_outside_root: 'not-inspected',
  image_url_refused: 'not-inspected',
  image_not_found: 'not-inspected',
  image_forbidden: 'not-inspected',
  image_unfetchable: 'not-inspected',
  image_empty: 'not-inspected',
  image_too_large: 'not-inspected',
  image_hash_mismatch: 'not-inspected',
  image_host_unavailable: 'not-inspected',
  image_store_unavailable: 'retry',

  // from bytes to pixels
  image_format_unsupported: 'not-inspected',
  image_truncated: 'not-inspected',
  image_corrupt: 'not-inspected',
  image_too_many_pixels: 'not-inspected',
  image_too_many_frames: 'not-inspected',
  image_decode_timeout: 'not-inspected',
  image_decode_memory: 'not-inspected',
  image_decode_crashed: 'not-inspected',
  decoder_unavailable: 'fatal',

  // inference
  inference_failed: 'not-inspected',
  encoder_failed: 'fatal',

  // emitting
  emission_unencodable: 'not-inspected',

  // Kafka
  kafka_unavailable: 'fatal',
  kafka_unauthorized: 'fatal',
  topic_missing: 'fatal',
  record_too_large: 'fatal',
  redrive_fenced: 'fatal',
  letter_incomplete: 'fatal',
  consumer_crashed: 'fatal',
  partition_revoked: 'revoked',
  record_quarantined: 'dead-letter',
  range_unreadable: 'fatal',

  // starting up
  config_invalid: 'fatal',
  bundle_invalid: 'fatal',
  list_invalid: 'fatal',
  model_not_found: 'fatal',
  model_invalid: 'fatal',
  model_corrupt: 'fatal',
  model_mismatch: 'fatal',
  model_download_failed: 'fatal',
  provider_unavailable: 'fatal',
  port_unavailable: 'fatal',

  // reconciling
  spill_failed: 'fatal',

  // tuning
  trial_failed: 'fatal',

  // ending
  aborted: 'fatal',
  usage: 'fatal',
} as const satisfies Record<string, Disposition>;

export type ErrorCode = keyof typeof DISPOSITIONS;

export interface AppErrorOptions extends ErrorOptions {
  /** Which dependency failed, where one did: `s3://bucket`, `https://host:443`, `file:///media`. */
  dependency?: string | undefined;
  /** In place of the code's own: an outage that has lasted too long is the end of the record. */
  disposition?: Disposition | undefined;
}

/**
 * An error with a stable code. The message says what was being done and, where there is one, the remedy:
 * `fetching image file:///a.jpg: no such file below /media`.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly disposition: Disposition;
  readonly dependency?: string;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    const { dependency, disposition = DISPOSITIONS[code], ...errorOptions } = options;
    super(message, errorOptions);
    this.name = 'AppError';
    this.code = code;
    this.disposition = disposition;
    if (dependency !== undefined) this.dependency = dependency;
  }
}

/** What becomes of the record when `error` strikes; an error nobody foresaw is fatal. */
export function dispositionOf(error: unknown): Disposition {
  return error instanceof AppError ? error.disposition : 'fatal';
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
