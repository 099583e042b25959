import { isAscii } from 'node:buffer';
import { AppError, messageOf } from '../errors.ts';
import type { Fault } from './faults.ts';
import { fromJson } from './json.ts';
import { assertJsonWithin } from './json-bounds.ts';
import { takeBytesApart } from './json-bytes.ts';
import { MAX_DEPTH } from './limits.ts';
import type { Contract } from './schemas.ts';

/**
 * Turns a JSON text into a message of the contract; what is wrong with single fields goes to `faults`.
 * Throws AppError `event_undecodable`.
 */
export type JsonReader = (json: Buffer, faults: Fault[]) => unknown;

export function createJsonReader({ title, type, maxValues }: Contract): JsonReader {
  const bounds = { depth: MAX_DEPTH, values: maxValues };

  /** Undefined where anything is out of the ordinary. */
  function readAroundBytes(json: Buffer): unknown {
    const apart = takeBytesApart(json);
    if (apart === null) return undefined;
    try {
      assertJsonWithin(apart.text, bounds);
      const faults: Fault[] = [];
      const parsed: unknown = JSON.parse(textOf(apart.text), apart.reviver);
      const message = fromJson(type, parsed, '', faults);
      return faults.length === 0 ? message : undefined;
    } catch {
      return undefined;
    }
  }

  function readWhole(json: Buffer, faults: Fault[]): unknown {
    let parsed: unknown;
    try {
      assertJsonWithin(json, bounds);
      parsed = JSON.parse(textOf(json));
    } catch (error) {
      throw new AppError(
        'event_undecodable',
        `decoding ${title}: not valid JSON: ${messageOf(error).slice(0, 200)}`,
        { cause: error },
      );
    }
    return fromJson(type, parsed, '', faults);
  }

  return (json, faults) => readAroundBytes(json) ?? readWhole(json, faults);
}

/**
 * Base64 makes most of a JSON event ASCII throughout, which need not be decoded. What is not UTF-8 is replaced by
 * U+FFFD, since a mangled label is no reason not to look at an image.
 */
function textOf(value: Buffer): string {
  return isAscii(value) ? value.toString('latin1') : new TextDecoder().decode(value);
}
