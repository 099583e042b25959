import type { SharedBytes } from './shared-bytes.ts';

/** A message on its way between a pool and a decoder process. */
export type Packed<T> =
  | { whole: T }
  /** Its bytes lie in shared memory, so long each, in the order of their places. */
  | { without: unknown; lengths: number[] };

const PLACE = 'bytes handed over';

/** Takes the bytes out of a message and puts them into shared memory, where there is some and they fit. */
export function pack<T>(message: T, shared: SharedBytes | null): Packed<T> {
  const parts: Uint8Array[] = [];
  const without = replace(message, (value) => {
    if (!(value instanceof Uint8Array)) return undefined;
    parts.push(value);
    return PLACE;
  });
  if (!shared?.put(parts)) return { whole: message };
  return { without, lengths: parts.map(({ length }) => length) };
}

/** The message as it was packed; null when its bytes are not there. */
export function unpack<T>(packed: Packed<T>, shared: SharedBytes | null): T | null {
  if ('whole' in packed) return packed.whole;
  const parts = shared?.take(packed.lengths)?.values();
  if (!parts) return null;
  return replace(packed.without, (value) =>
    value === PLACE ? parts.next().value : undefined,
  ) as T;
}

/** A copy in which every value for which there is another one is replaced by it. */
function replace(value: unknown, by: (value: unknown) => unknown): unknown {
  const other = by(value);
  if (other !== undefined) return other;
  if (Array.isArray(value)) return value.map((item) => replace(item, by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item, by)]));
}
