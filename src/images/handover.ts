import type { SharedBytes } from './shared-bytes.ts';

/**
 * Messages between a pool and a decoder process: a prefix, a header in JSON and the bytes that are not in shared
 * memory. Not the channel of `child_process.fork`: what a hostile process sends over that, Node takes apart before
 * anything of ours sees it, and throws where nothing can catch it.
 */
export interface Header {
  /** The message with a `Place` wherever it has bytes. */
  message: unknown;
  /** The length of each of these, in the order of their places. */
  lengths: number[];
  /** Whether they lie in shared memory; else they follow. */
  shared: boolean;
}

/** Stands for bytes in a header. */
interface Place {
  $bytes: number;
}

/** Length of the header and of the bytes that follow it, as two unsigned 32-bit integers. */
const PREFIX_BYTES = 8;
/** No header of ours comes near: it has some 200 bytes for each view. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** The message in pieces to be written one after the other. Its bytes go to shared memory where they fit. */
export function pack(message: unknown, shared: SharedBytes | null): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const without = replace(message, (value) => {
    if (!(value instanceof Uint8Array)) return undefined;
    parts.push(value);
    return { $bytes: parts.length - 1 } satisfies Place;
  });
  const inShared = shared?.put(parts) ?? false;
  const lengths = parts.map(({ length }) => length);
  const header = { message: without, lengths, shared: inShared } satisfies Header;
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(json.length, 0);
  prefix.writeUInt32LE(inShared ? 0 : lengths.reduce((sum, length) => sum + length, 0), 4);
  return [prefix, json, ...(inShared ? [] : parts)];
}

export interface Unpacker {
  /** Takes the next bytes and returns the messages they complete. Throws when they are none that `pack` makes. */
  push(chunk: Uint8Array): unknown[];
}

/** Puts messages together again. More than `maxBytes` behind one header is refused. */
export function createUnpacker(shared: SharedBytes | null, maxBytes: number): Unpacker {
  let chunks: Uint8Array[] = [];
  let have = 0;
  let sizes: { header: number; body: number } | null = null;

  function take(length: number): Buffer {
    const all = chunks.length === 1 && chunks[0] ? asBuffer(chunks[0]) : Buffer.concat(chunks);
    chunks = all.length > length ? [all.subarray(length)] : [];
    have -= length;
    return all.subarray(0, length);
  }

  function next(): { message: unknown } | null {
    if (sizes === null) {
      if (have < PREFIX_BYTES) return null;
      const prefix = take(PREFIX_BYTES);
      sizes = { header: prefix.readUInt32LE(0), body: prefix.readUInt32LE(4) };
      if (sizes.header > MAX_HEADER_BYTES) throw new Error(`a header of ${sizes.header} bytes`);
      if (sizes.body > maxBytes) throw new Error(`${sizes.body} bytes, more than ${maxBytes}`);
    }
    const { header, body } = sizes;
    if (have < header + body) return null;
    sizes = null;
    const whole = take(header + body);
    return { message: readMessage(whole.subarray(0, header), whole.subarray(header), shared) };
  }

  return {
    push: (chunk) => {
      chunks.push(chunk);
      have += chunk.length;
      const messages: unknown[] = [];
      for (let found = next(); found !== null; found = next()) messages.push(found.message);
      return messages;
    },
  };
}

function readMessage(json: Buffer, body: Buffer, shared: SharedBytes | null): unknown {
  const header: unknown = JSON.parse(json.toString('utf8'));
  if (!isHeader(header)) throw new Error('a header without message and lengths');
  const parts = header.shared ? shared?.take(header.lengths) : split(body, header.lengths);
  if (!parts) throw new Error('lengths that do not fit the bytes');
  let used = 0;
  const message = replace(header.message, (value) => {
    if (!isPlace(value)) return undefined;
    if (value.$bytes !== used) throw new Error('bytes out of order');
    return parts[used++];
  });
  if (used !== parts.length) throw new Error('bytes without a place');
  return message;
}

function split(body: Buffer, lengths: readonly number[]): Uint8Array[] | null {
  if (!lengths.every((length) => Number.isSafeInteger(length) && length >= 0)) return null;
  if (lengths.reduce((sum, length) => sum + length, 0) !== body.length) return null;
  let at = 0;
  return lengths.map((length) => body.subarray(at, (at += length)));
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null) return false;
  const { lengths, shared } = value as Partial<Header>;
  return 'message' in value && Array.isArray(lengths) && typeof shared === 'boolean';
}

function isPlace(value: unknown): value is Place {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '$bytes');
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A copy in which every value for which there is another one is replaced by it. */
function replace(value: unknown, by: (value: unknown) => unknown): unknown {
  const other = by(value);
  if (other !== undefined) return other;
  if (Array.isArray(value)) return value.map((item) => replace(item, by));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item, by)]));
}
