import { isAscii } from 'node:buffer';
import type { Clock } from '../clock.ts';
import { AppError, messageOf } from '../errors.ts';
import { createAvroReader, type AvroReader } from './avro-reader.ts';
import { schemaFingerprint } from './fingerprint.ts';
import { fromJson, type Fault } from './json.ts';
import { afterSpace, takeBytesApart } from './json-bytes.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import { parseSchema, type Contract } from './schemas.ts';
import { createWriterSchemas } from './writer-schemas.ts';

export interface DecoderOptions {
  /** Needed for records in Confluent wire format. */
  registry?: SchemaRegistry | undefined;
  /**
   * Avro schemas, in JSON, of other versions whose publishers use single-object encoding. The version that
   * ships with Moderato is always known.
   * @default []
   */
  alsoKnown?: readonly string[] | undefined;
  clock?: Clock | undefined;
}

export interface MessageDecoder<T> {
  /**
   * The message in a record's value, whichever of the three encodings it is in. Throws AppError
   * - `event_empty`: no value, or one of no bytes;
   * - `event_undecodable`: none of the encodings, or broken;
   * - `event_invalid`: decoded, but fields are missing or wrong; every one is named;
   * - `event_schema_unknown`: the registry, or we, do not know the writer's schema;
   * - `event_schema_incompatible`: the writer's schema cannot be read as ours;
   * - `registry_unavailable`, `registry_rejected`: nobody can say yet what the value is.
   */
  decode(value: Buffer | null): Promise<T>;
}

/** What the schema cannot say. Given a message whose faulty fields are undefined. */
export type Check<T> = (message: Partial<T>) => Fault[];

const MAX_FAULTS_NAMED = 20;
const CONFLUENT_HEADER_BYTES = 5;
const SINGLE_OBJECT_HEADER_BYTES = 10;

export function createMessageDecoder<T>(
  contract: Contract,
  options: DecoderOptions,
  check: Check<T> = () => [],
): MessageDecoder<T> {
  const { registry, alsoKnown = [], clock } = options;
  const { title, type } = contract;
  const readerOf = registry && createWriterSchemas({ contract, registry, clock });
  const known = new Map<string, AvroReader>(
    [type, ...alsoKnown.map((text) => parseSchema(text))].map((writer) => [
      schemaFingerprint(writer).toString('hex'),
      createAvroReader(contract, writer),
    ]),
  );

  async function decodeConfluent(value: Buffer): Promise<unknown> {
    if (value.length < CONFLUENT_HEADER_BYTES) {
      throw undecodable(title, 'ends within the header of Confluent wire format');
    }
    const id = value.readInt32BE(1);
    if (!readerOf) {
      throw new AppError(
        'event_schema_unknown',
        `decoding ${title}: Confluent wire format with schema id ${id}, but no schema registry is configured; set registry.url`,
      );
    }
    if (id <= 0) {
      throw new AppError('event_schema_unknown', `decoding ${title}: ${id} is no schema id`);
    }
    const read = await readerOf(id);
    return read(value.subarray(CONFLUENT_HEADER_BYTES));
  }

  function decodeSingleObject(value: Buffer): unknown {
    if (value.length < SINGLE_OBJECT_HEADER_BYTES) {
      throw undecodable(title, 'ends within the header of Avro single-object encoding');
    }
    const fingerprint = value.toString('hex', 2, SINGLE_OBJECT_HEADER_BYTES);
    const read = known.get(fingerprint);
    if (read) return read(value.subarray(SINGLE_OBJECT_HEADER_BYTES));
    throw new AppError(
      'event_schema_unknown',
      `decoding ${title}: no known schema has the fingerprint ${fingerprint} of this single-object encoding; publish with the schema that ships with Moderato, or in Confluent wire format`,
    );
  }

  function decodeJson(value: Buffer, faults: Fault[]): unknown {
    return decodeAroundBytes(value) ?? decodeWhole(value, faults);
  }

  /** Undefined where anything is out of the ordinary. */
  function decodeAroundBytes(value: Buffer): unknown {
    const apart = takeBytesApart(value);
    if (apart === null) return undefined;
    try {
      const faults: Fault[] = [];
      const parsed: unknown = JSON.parse(textOf(apart.text), apart.reviver);
      const message = fromJson(type, parsed, '', faults);
      return faults.length === 0 ? message : undefined;
    } catch {
      return undefined;
    }
  }

  function decodeWhole(value: Buffer, faults: Fault[]): unknown {
    let parsed: unknown;
    try {
      parsed = JSON.parse(textOf(value));
    } catch (error) {
      throw undecodable(title, `not valid JSON: ${messageOf(error).slice(0, 200)}`, error);
    }
    return fromJson(type, parsed, '', faults);
  }

  return {
    async decode(value) {
      if (value === null || value.length === 0) {
        throw new AppError('event_empty', `decoding ${title}: the record has no value`);
      }
      const faults: Fault[] = [];
      let message: unknown;
      if (value[0] === 0x00) message = await decodeConfluent(value);
      else if (value[0] === 0xc3 && value[1] === 0x01) message = decodeSingleObject(value);
      else if (looksLikeJson(value)) message = decodeJson(value, faults);
      else {
        throw undecodable(
          title,
          'neither JSON nor Avro single-object encoding nor Confluent wire format',
        );
      }
      faults.push(...check(message as Partial<T>));
      if (faults.length > 0) throw invalid(title, faults);
      return message as T;
    },
  };
}

/**
 * Base64 makes most of a JSON event ASCII throughout, which need not be decoded. What is not UTF-8 is replaced by
 * U+FFFD, since a mangled label is no reason not to look at an image.
 */
function textOf(value: Buffer): string {
  return isAscii(value) ? value.toString('latin1') : new TextDecoder().decode(value);
}

/** An opening brace, after nothing but white space and a byte order mark. */
function looksLikeJson(value: Buffer): boolean {
  const marked = value.length >= 3 && value.readUIntBE(0, 3) === 0xefbbbf;
  return value[afterSpace(value, marked ? 3 : 0)] === 0x7b;
}

function undecodable(title: string, problem: string, cause?: unknown): AppError {
  return new AppError('event_undecodable', `decoding ${title}: ${problem}`, { cause });
}

function invalid(title: string, faults: readonly Fault[]): AppError {
  const named = faults
    .slice(0, MAX_FAULTS_NAMED)
    .map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`));
  const more = faults.length - named.length;
  if (more > 0) named.push(`and ${more} more`);
  return new AppError('event_invalid', `decoding ${title}: ${named.join('; ')}`);
}
