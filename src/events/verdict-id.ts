import { createHash } from 'node:crypto';

/** Everything a verdict follows from. */
export interface VerdictOrigin {
  /** Null when the record could not be decoded. */
  eventId: string | null;
  topic: string;
  partition: number;
  offset: number;
  modelHash: string;
  bundleHash: string;
}

/**
 * 32 hex digits: the first 128 bits of SHA-256 over the origin's parts, each behind its length, so that
 * no part can run into the next. The same record judged by the same model and bundle has the same id.
 */
export function verdictId(origin: VerdictOrigin): string {
  const { eventId, topic, partition, offset, modelHash, bundleHash } = origin;
  const hash = createHash('sha256');
  for (const part of [eventId, topic, `${partition}`, `${offset}`, modelHash, bundleHash]) {
    const bytes = Buffer.from(part ?? '');
    const length = Buffer.alloc(4);
    length.writeInt32BE(part === null ? -1 : bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest('hex').slice(0, 32);
}
