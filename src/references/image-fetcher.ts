/**
 * Encoded image bytes from a reference, safely enough for references that strangers wrote. This room knows
 * nothing of pixels, Kafka, models or policies, and imports no other room.
 */
import type { ErrorCode } from '../errors.ts';

/** What answers for a reference. */
export interface Dependency {
  /** `https://host:443`, `s3://bucket`; as errors name it and `probe` takes it. */
  name: string;
  /** Fetches at once that it is asked for. @default as many as there may be */
  places?: number | undefined;
  /** Set where it is not ours to wait for: when its records are given up. */
  patience?: Patience | undefined;
}

export interface Patience {
  /** Failed fetches of one reference. */
  attempts: number;
  /** How long the dependency may be absent, in ms. */
  absentMs: number;
  /** What the record is given up with. */
  code: ErrorCode;
}

export interface ImageFetcher {
  /** The URI schemes served, without the colon: `['file']`. */
  readonly schemes: readonly string[];
  /**
   * The encoded bytes behind `uri`, never empty and never more than the adapter's byte limit.
   * Throws AppError `image_uri_invalid`, `image_scheme_unsupported`, `image_outside_root`, `image_url_refused`,
   * `image_not_found`, `image_forbidden`, `image_unfetchable`, `image_empty`, `image_too_large` or
   * `image_store_unavailable`; the signal's reason when it aborts. `image_store_unavailable` names its `dependency`.
   */
  fetch(uri: string, signal?: AbortSignal): Promise<Buffer>;
  /**
   * What a fetch of `uri` depends on, where many fetches share it; undefined for what is at hand, and for what `fetch`
   * refuses without asking anyone.
   */
  dependencyOf?(uri: string): Dependency | undefined;
  /**
   * Whether a `dependency` that an error of `fetch` named answers now: true for any answer that is no outage, such
   * as a 403; false when it is away, or not served here. It takes one cheap request, bounded in time. Throws the
   * signal's reason when it aborts, and nothing else.
   */
  probe(dependency: string, signal?: AbortSignal): Promise<boolean>;
}

/** A fetcher with connections to let go of. */
export interface OpenFetcher extends ImageFetcher {
  /** Ends what is under way, with an error. Idempotent. */
  close(): Promise<void>;
}
