import { AppError, messageOf } from '../errors.ts';
import { AvroCursor } from './avro-cursor.ts';
import { Mismatch, resolveMessage } from './avro-resolve.ts';
import type { AvroSchema } from './avro-schema.ts';
import type { Read } from './avro-scalars.ts';
import type { Fault } from './faults.ts';
import type { Contract } from './schemas.ts';

/**
 * Turns an Avro body into a message of the contract. What is wrong with single fields goes to `faults`.
 * Throws AppError `event_undecodable`, and `event_schema_incompatible` for a value in a branch of the writer's
 * schema that cannot be read as ours.
 */
export type AvroReader = (body: Buffer, faults: Fault[]) => unknown;

/**
 * Reads what `writer` wrote as the contract's current version. Building a reader is slow (about a millisecond): keep
 * it for all records of the writer. Throws AppError `event_schema_incompatible`.
 */
export function createAvroReader(contract: Contract, writer: AvroSchema): AvroReader {
  const { title, type, maxValues } = contract;
  let read: Read;
  try {
    read = resolveMessage(writer, type);
  } catch (error) {
    throw incompatible(title, error);
  }
  return (body, faults) => {
    try {
      const cursor = new AvroCursor(body, maxValues);
      const message = read(cursor, faults);
      cursor.end();
      return message;
    } catch (error) {
      if (error instanceof Mismatch) throw incompatible(title, error);
      throw new AppError(
        'event_undecodable',
        `decoding ${title}: not a valid Avro body: ${messageOf(error)}`,
        { cause: error },
      );
    }
  };
}

function incompatible(title: string, cause: unknown): AppError {
  return new AppError(
    'event_schema_incompatible',
    `decoding ${title}: the writer's schema cannot be read as ours (${messageOf(cause).slice(0, 300)}); publish with the schema that ships with Moderato or a compatible one`,
    { cause },
  );
}
