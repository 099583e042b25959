import type avsc from 'avsc';
import { AppError, messageOf } from '../errors.ts';
import { assertWithinBounds } from './avro-bounds.ts';
import type { Contract } from './schemas.ts';

/** Turns an Avro body into a message of the contract. Throws AppError `event_undecodable`. */
export type AvroReader = (body: Buffer) => unknown;

/**
 * Reads what `writer` wrote as the contract's current version: fields it lacks get their defaults, fields
 * it has on top are skipped (Avro specification, "Schema Resolution"). Building one is slow (about a
 * millisecond): keep it for all records of the writer. Throws AppError `event_schema_incompatible`.
 */
export function createAvroReader(contract: Contract, writer: avsc.Type): AvroReader {
  const { title, type } = contract;
  const resolver = type.equals(writer) ? undefined : resolve(contract, writer);
  return (body) => {
    try {
      assertWithinBounds(writer, body);
      return type.fromBuffer(body, resolver) as unknown;
    } catch (error) {
      throw new AppError(
        'event_undecodable',
        `decoding ${title}: not a valid Avro body: ${messageOf(error)}`,
        { cause: error },
      );
    }
  };
}

function resolve({ title, type }: Contract, writer: avsc.Type) {
  try {
    // Names are compared without their namespace, as the specification asks.
    return type.createResolver(writer, { ignoreNamespaces: true });
  } catch (error) {
    throw new AppError(
      'event_schema_incompatible',
      `decoding ${title}: the writer's schema cannot be read as ours (${messageOf(error).slice(0, 300)}); publish with the schema that ships with Moderato or a compatible one`,
      { cause: error },
    );
  }
}
