/** How much memory one fetch response may take. */
export interface FetchLimits {
  /**
   * Max bytes the records of one compressed batch may expand to.
   * @default 64 MiB: raise it for a publisher whose batches are larger.
   */
  maxBatchBytes: number;
  /**
   * Expanded bytes after which the remaining compressed batches of a response wait for the next fetch. A response
   * therefore expands to at most `maxResponseBytes + maxBatchBytes`.
   * @default 64 MiB
   */
  maxResponseBytes: number;
  /** Max bytes of a record's key and value together. @default 32 MiB */
  maxRecordBytes: number;
}

/** Max headers of one record; more give it the fault `event_headers_too_large`. */
export const MAX_HEADERS = 1_000;
/** Max bytes of one record's header names and values together. */
export const MAX_HEADER_BYTES = 256 * 1024;
/** A longer key of a record over `maxRecordBytes` is dropped together with its value. */
export const MAX_KEPT_KEY_BYTES = 1024 * 1024;
/** Estimate of what one decoded record takes beside its bytes. */
export const RECORD_OVERHEAD_BYTES = 200;

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: Readonly<FetchLimits> = {
  maxBatchBytes: 64 * MIB,
  maxResponseBytes: 64 * MIB,
  maxRecordBytes: 32 * MIB,
};
