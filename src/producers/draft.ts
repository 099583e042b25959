import { hash } from 'node:crypto';
import type { Header } from '../events/types.generated.ts';
import { headerBytes } from '../kafka/outgoing-message.ts';

/** A message before it is encoded. */
export interface Draft<T> {
  content: T;
  key: Buffer | null;
  /** The input record's key, where `key` is not that any more: it still chooses the partition. */
  partitionKey?: Buffer;
  /** Carried over from the input record. */
  headers: readonly Header[];
  /** The steps that left something out, in order, each once. */
  shrunk: readonly string[];
}

/** One way to make a message smaller. */
export interface Step<T> {
  name: string;
  /**
   * The smaller draft, or the same object when the step has nothing to leave out.
   *
   * @param excess - bytes that the message is too large by; at least, where it was not encoded
   * @param room - bytes that the message may take
   */
  apply(draft: Draft<T>, excess: number, room: number): Draft<T>;
}

/** A header, a label, a text or a key beyond this is left out before smaller ones are, in bytes. */
export const LARGE_BYTES = 1_024;

/** Carried on whatever else is left out, with values of up to so many bytes. */
const KEPT_HEADERS: ReadonlyMap<string, number> = new Map([
  ['traceparent', 64],
  ['moderato-origin', 280],
  ['moderato-attempts', 10],
]);

/** Left out last of all headers: W3C trace context allows 512 characters. */
const TRACE_STATE = 'tracestate';
const TRACE_STATE_BYTES = 512;

export const LARGE_HEADERS: Step<unknown> = headersStep(LARGE_BYTES);
export const HEADERS: Step<unknown> = headersStep(0);
export const LARGE_KEY: Step<unknown> = keyStep(LARGE_BYTES);

/** Leaves out headers of more than `above` bytes, the largest first, until the message fits. */
function headersStep(above: number): Step<unknown> {
  return {
    name: 'headers',
    apply: (draft, excess) => {
      const isSpared = (header: Header): boolean =>
        isKept(header) ||
        (header.name === TRACE_STATE && (header.value?.length ?? 0) <= TRACE_STATE_BYTES);
      const headers = shed(draft.headers, excess, (header) => {
        const bytes = headerBytes(header);
        return bytes > above && !isSpared(header) ? bytes : 0;
      });
      return headers === draft.headers ? draft : { ...draft, headers };
    },
  };
}

/** Those headers alone that the smallest message still carries, the first of each name. */
export function keptHeaders(headers: readonly Header[]): Header[] {
  const kept = headers.filter(isKept);
  return kept.filter(({ name }, at) => kept.findIndex((each) => each.name === name) === at);
}

function isKept({ name, value }: Header): boolean {
  return (value?.length ?? 0) <= (KEPT_HEADERS.get(name) ?? -1);
}

function keyStep(above: number): Step<unknown> {
  return { name: 'key', apply: (draft) => withShortKey(draft, above) };
}

/**
 * Replaces a key of more than `above` bytes by `sha256:` and its digest in hex: equal keys stay equal and others
 * different, and the message stays in the partition of its whole key.
 */
export function withShortKey<T>(draft: Draft<T>, above: number): Draft<T> {
  const { key } = draft;
  if (key === null || key.length <= above) return draft;
  const digest = Buffer.from(`sha256:${hash('sha256', key)}`);
  return { ...draft, key: digest, partitionKey: draft.partitionKey ?? key };
}

/**
 * Without the largest items, as many as it takes to save `excess` bytes; an item of no bytes stays. The same array
 * when nothing is left out.
 */
export function shed<T>(
  items: readonly T[],
  excess: number,
  bytesOf: (item: T) => number,
): readonly T[] {
  const sizes = items.map((item, at) => ({ at, bytes: bytesOf(item) }));
  const largest = sizes.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  const left = new Set<number>();
  let saved = 0;
  for (const { at, bytes } of largest) {
    if (saved >= excess) break;
    left.add(at);
    saved += bytes;
  }
  return left.size === 0 ? items : items.filter((_, at) => !left.has(at));
}
