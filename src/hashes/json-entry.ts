import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { EntryFault, entryOf } from './entry-fields.ts';
import type { ListEntry } from './hash-list.ts';

const text = z.string();

const ours = z.strictObject({
  pdq: text.optional(),
  sha256: text.optional(),
  quality: z.number().optional(),
  id: text.optional(),
  note: text.optional(),
});

/** What Hasher-Matcher-Actioner answers for one content of a bank; it says more than is read here. */
const hma = z.object({
  id: z.int(),
  /** 0: not matched; otherwise from this time on, in seconds since the epoch, so that 1 is as good as always. */
  disable_until_ts: z.int().default(1),
  signals: z.record(text, text),
  note: text.nullish(),
});

/**
 * An entry in JSON, ours or Hasher-Matcher-Actioner's. Null: it is not to match, since it holds hashes of other media
 * only, or a PDQ hash of poor quality, or is disabled. Throws EntryFault.
 */
export function parseJsonEntry(json: string): ListEntry | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new EntryFault(`not JSON: ${messageOf(error)}`);
  }
  if (typeof value === 'object' && value !== null && 'signals' in value) {
    const { id, signals, note, disable_until_ts: until } = check(hma, value);
    const { pdq, sha256 } = signals;
    const isDisabled = until === 0 || until * 1_000 > Date.now();
    if (isDisabled || (pdq === undefined && sha256 === undefined)) return null;
    return entryOf({ pdq, sha256, id: String(id), note: note ?? undefined });
  }
  const { quality, ...entry } = check(ours, value);
  return entryOf({ ...entry, quality: quality === undefined ? undefined : String(quality) });
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new EntryFault(faults.map((fault) => fault.replace(/^: /, '')).join('; '));
}
