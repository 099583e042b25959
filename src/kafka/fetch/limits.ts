import { ATTEMPTS_HEADER, ORIGIN_HEADER, ORIGIN_MAC_HEADER } from '../../events/origin.ts';

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

/**
 * Max headers of one record; more give it the fault `event_headers_too_large`. The first of each of `OWN_HEADERS` does
 * not count, nor do its bytes: what was made of a record that was accepted must be readable, too.
 */
export const MAX_HEADERS = 1_000;
/** Max bytes of one record's headers together, with their lengths. */
export const MAX_HEADER_BYTES = 256 * 1024;
/** What Moderato adds to the headers that it carries from a record into its verdict, and to a redriven record. */
export const OWN_HEADERS: ReadonlySet<string> = new Set([
  ...['ce_specversion', 'ce_id', 'ce_type', 'ce_source', 'ce_time', 'ce_subject', 'content-type'],
  ...['traceparent', 'tracestate', ORIGIN_HEADER, ATTEMPTS_HEADER, ORIGIN_MAC_HEADER],
]);
/** One of `OWN_HEADERS` that is larger counts like any other: an event id of 1,024 characters has at most 3 KiB. */
export const MAX_OWN_HEADER_BYTES = 4 * 1024;
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
