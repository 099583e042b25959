import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { createAvroReader, type AvroReader } from './avro-reader.ts';
import { parseAvroSchema } from './avro-schema.ts';
import type { Fault } from './faults.ts';
import { textFingerprint } from './fingerprint.ts';
import { createJsonReader } from './json-reader.ts';
import { formatOf, type RecordFormat } from './record-format.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import type { Contract } from './schemas.ts';
import type { Header } from './types.generated.ts';
import { createWriterSchemas } from './writer-schemas.ts';

export interface DecoderOptions {
  /** Needed for records that name a schema of a registry. */
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
   * The message in a record's value, whichever encoding it is in. `headers` are the record's: publishers may name
   * the schema there. Throws AppError
   * - `event_empty`: no value, or one of no bytes;
   * - `event_undecodable`: none of the encodings, or broken;
   * - `event_invalid`: decoded, but fields are missing or wrong; every one is named;
   * - `event_schema_unknown`: the registry, or we, do not know the writer's schema;
   * - `event_schema_incompatible`: the writer's schema, or its branch for this value, cannot be read as ours;
   * - `registry_unavailable`, `registry_rejected`: the registry cannot be asked.
   */
  decode(value: Buffer | null, headers?: readonly Header[]): Promise<T>;
}

/** What the schema cannot say. Given a message whose faulty fields are undefined. */
export type Check<T> = (message: Partial<T>) => Fault[];

const MAX_FAULTS_NAMED = 20;

export function createMessageDecoder<T>(
  contract: Contract,
  options: DecoderOptions,
  check: Check<T> = () => [],
): MessageDecoder<T> {
  const { registry, alsoKnown = [], clock } = options;
  const { title, text } = contract;
  const doing = `decoding ${title}`;
  const readerOf = registry && createWriterSchemas({ contract, registry, clock });
  const readJson = createJsonReader(contract);
  const known = new Map<string, AvroReader>(
    [text, ...alsoKnown].map((writer) => [
      textFingerprint(writer).toString('hex'),
      createAvroReader(contract, parseAvroSchema(writer)),
    ]),
  );

  async function avroReader(format: Exclude<RecordFormat, { kind: 'json' }>): Promise<AvroReader> {
    if (format.kind === 'single-object') {
      const read = known.get(format.fingerprint);
      if (read) return read;
      throw new AppError(
        'event_schema_unknown',
        `${doing}: no known schema has the fingerprint ${format.fingerprint} of this single-object encoding; publish with the schema that ships with Moderato, or in Confluent wire format`,
      );
    }
    if (readerOf) return readerOf(format.id);
    throw new AppError(
      'event_schema_unknown',
      `${doing}: ${format.named}, but no schema registry is configured; set registry.url`,
    );
  }

  return {
    async decode(value, headers = []) {
      if (value === null || value.length === 0) {
        throw new AppError('event_empty', `${doing}: the record has no value`);
      }
      const format = formatOf(value, headers, doing);
      const faults: Fault[] = [];
      const message =
        format.kind === 'json'
          ? readJson(value, faults)
          : (await avroReader(format))(format.body, faults);
      faults.push(...check(message as Partial<T>));
      if (faults.length > 0) throw invalid(title, faults);
      return message as T;
    },
  };
}

function invalid(title: string, faults: readonly Fault[]): AppError {
  const named = faults
    .slice(0, MAX_FAULTS_NAMED)
    .map(({ path, problem }) => (path === '' ? problem : `${path}: ${problem}`));
  const more = faults.length - named.length;
  if (more > 0) named.push(`and ${more} more`);
  return new AppError('event_invalid', `decoding ${title}: ${named.join('; ')}`);
}
