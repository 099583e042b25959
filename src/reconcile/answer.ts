import { hash } from 'node:crypto';
import type { Verdict } from '../events/types.generated.ts';

/**
 * What must be the same in every verdict with the same id, in 8 bytes: the version, the outcome, the reason's code
 * and each policy's band. No score: the batch that an image was in changes its last digits.
 */
export function answerDigest({ model, bundle, outcome, reason, policies }: Verdict): Buffer {
  const bands = policies.map(({ id, band }) => `${band} ${id}`);
  const version = [model.hash, model.preprocessing, bundle.hash];
  const parts = [...version, outcome, reason?.code ?? '', ...bands];
  return hash('sha256', JSON.stringify(parts), 'buffer').subarray(0, 8);
}

/** True when the verdict promises a dead letter. */
export function hasDeadLetter({ reason }: Verdict): boolean {
  return reason?.code.startsWith('event_') ?? false;
}

/** An id of ours in half the room, 16 bytes; any other as it is. */
export function packId(verdictId: string): Buffer | string {
  return /^[0-9a-f]{32}$/.test(verdictId) ? Buffer.from(verdictId, 'hex') : verdictId;
}

export function unpackId(packed: Uint8Array | string): string {
  return typeof packed === 'string' ? packed : Buffer.from(packed).toString('hex');
}
