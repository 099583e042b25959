import { hash } from 'node:crypto';

/** Everything a verdict follows from. */
export interface VerdictOrigin {
  /** Null when the record could not be decoded. */
  eventId: string | null;
  topic: string;
  partition: number;
  offset: number;
  modelHash: string;
  /** The version of the way from bytes to views. */
  preprocessing: string;
  bundleHash: string;
}

/**
 * 32 hex digits: the first 128 bits of SHA-256 over the origin's parts, each behind its length, so that
 * no part can run into the next. The same record, looked at in the same way and judged by the same model and bundle,
 * has the same id.
 */
export function verdictId(origin: VerdictOrigin): string {
  const { eventId, topic, partition, offset, modelHash, preprocessing, bundleHash } = origin;
  const position = [topic, `${partition}`, `${offset}`];
  const parts = [eventId, ...position, modelHash, preprocessing, bundleHash];
  const size = parts.reduce((sum, part) => sum + 4 + Buffer.byteLength(part ?? ''), 0);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    const length = part === null ? -1 : bytes.write(part, at + 4);
    at = bytes.writeInt32BE(length, at) + Math.max(length, 0);
  }
  return hash('sha256', bytes).slice(0, 32);
}
