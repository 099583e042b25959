/**
 * Where an error was thrown decides what it means. Whatever a library (undici, the AWS SDK, node:fs, node:zlib)
 * throws while it serves one reference concerns that reference or its store, even under a code that no table here
 * knows, so it never ends the process. Therefore each call of a library is wrapped, and nothing but the call. Every
 * other error, such as a TypeError from this project's own code, passes through and stays fatal.
 */
import { AppError } from '../errors.ts';

/** An error that a library threw, as its `cause`. */
export class LibraryFault extends Error {
  /** The library's code, else the error's name; never a message, which could repeat a URL with its secrets. */
  readonly code: string;

  constructor(cause: unknown) {
    const code = codeOf(cause);
    super(code, { cause });
    this.name = 'LibraryFault';
    this.code = code;
  }
}

/** Throws LibraryFault for what `call` throws, except for an AppError, which an own callback threw inside it. */
export async function fromLibrary<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw faultOf(error);
  }
}

/** The chunks of a library's stream. Throws as `fromLibrary` does; an error of the reader passes through. */
export async function* chunksOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw faultOf(error);
  }
}

function faultOf(error: unknown): AppError | LibraryFault {
  return error instanceof AppError || error instanceof LibraryFault
    ? error
    : new LibraryFault(error);
}

const LONGEST_CODE = 100;

function codeOf(error: unknown): string {
  const text = [fieldOf(error, 'code'), fieldOf(error, 'name')].find(
    (it) => typeof it === 'string' && it !== '',
  );
  return typeof text === 'string' ? text.slice(0, LONGEST_CODE) : 'unknown error';
}

/** A field of anything thrown; by shape, since an error may come from another realm, or be none. */
export function fieldOf(error: unknown, field: string): unknown {
  return typeof error === 'object' && error !== null
    ? (error as Record<string, unknown>)[field]
    : undefined;
}
