/** How a record is encoded: told from its headers and first bytes. */
import { AppError } from '../errors.ts';
import { afterSpace } from './json-bytes.ts';
import type { SchemaId } from './schema-registry.ts';
import type { Header } from './types.generated.ts';
import { uuidText } from './uuid.ts';

export type RecordFormat =
  | { kind: 'json' }
  /** Avro single-object encoding: the fingerprint in hex. */
  | { kind: 'single-object'; fingerprint: string; body: Buffer }
  /** Avro whose schema is in a registry; `named` says how the record names it, for messages. */
  | { kind: 'registered'; id: SchemaId; named: string; body: Buffer };

/** Confluent's serializers, "schema ID in header" (Confluent Platform 8). */
const CONFLUENT_HEADER = '__value_schema_id';
const APICURIO_CONTENT_ID = 'apicurio.value.contentId';
const APICURIO_GLOBAL_ID = 'apicurio.value.globalId';

const ID_BYTES = 5;
const GUID_BYTES = 17;
const SINGLE_OBJECT_HEADER_BYTES = 10;
const MAX_ID = 2 ** 31 - 1;

/** Throws AppError `event_undecodable` or `event_schema_unknown`; `doing` begins their messages. */
export function formatOf(value: Buffer, headers: readonly Header[], doing: string): RecordFormat {
  const isJson = looksLikeJson(value);
  // A JSON serializer may name its schema in a header all the same.
  if (!isJson || value.at(-1) !== 0x7d) {
    const id = idInHeaders(headers, doing);
    if (id) return { kind: 'registered', ...id, body: value };
  }
  if (isJson) return { kind: 'json' };
  if (value[0] === 0x00) return withId(value, doing);
  if (value[0] === 0x01) return withGuid(value, doing);
  if (value[0] === 0xc3 && value[1] === 0x01) return singleObject(value, doing);
  throw undecodable(
    `${doing}: neither JSON nor Avro single-object encoding nor Confluent wire format`,
  );
}

/** An opening brace, after nothing but white space and a byte order mark. */
function looksLikeJson(value: Buffer): boolean {
  const marked = value.length >= 3 && value.readUIntBE(0, 3) === 0xefbbbf;
  return value[afterSpace(value, marked ? 3 : 0)] === 0x7b;
}

/** A zero byte and an id of 4 bytes, big-endian. */
function withId(value: Buffer, doing: string): RecordFormat {
  if (value.length < ID_BYTES) {
    throw undecodable(`${doing}: ends within the header of Confluent wire format`);
  }
  const id = value.readInt32BE(1);
  if (id > 0) {
    const named = `Confluent wire format with schema id ${id}`;
    return { kind: 'registered', id, named, body: value.subarray(ID_BYTES) };
  }
  const remedy =
    "if it is an 8-byte id of Apicurio's serializers, set apicurio.registry.as-confluent=true there, for such an id does not say whether it is global or of the content";
  throw unknown(`${doing}: Confluent wire format, but ${id} is no schema id; ${remedy}`);
}

/** A one and a GUID of 16 bytes: the newer form of Confluent wire format, before the value. */
function withGuid(value: Buffer, doing: string): RecordFormat {
  if (value.length < GUID_BYTES) {
    throw undecodable(`${doing}: ends within the GUID of Confluent wire format`);
  }
  const id = guid(value);
  const named = `Confluent wire format with schema GUID ${id}`;
  return { kind: 'registered', id, named, body: value.subarray(GUID_BYTES) };
}

/** C3 01 and a fingerprint of 8 bytes (Avro specification, "Single-object encoding"). */
function singleObject(value: Buffer, doing: string): RecordFormat {
  if (value.length < SINGLE_OBJECT_HEADER_BYTES) {
    throw undecodable(`${doing}: ends within the header of Avro single-object encoding`);
  }
  const fingerprint = value.toString('hex', 2, SINGLE_OBJECT_HEADER_BYTES);
  return { kind: 'single-object', fingerprint, body: value.subarray(SINGLE_OBJECT_HEADER_BYTES) };
}

function idInHeaders(
  headers: readonly Header[],
  doing: string,
): { id: SchemaId; named: string } | undefined {
  const confluent = last(headers, CONFLUENT_HEADER);
  if (confluent) return confluentHeader(confluent.value, doing);
  const content = last(headers, APICURIO_CONTENT_ID);
  if (content) return contentHeader(content.value, doing);
  if (!last(headers, APICURIO_GLOBAL_ID)) return undefined;
  throw unknown(
    `${doing}: the header ${APICURIO_GLOBAL_ID} holds a global id of Apicurio, which its Confluent-compatible API does not look up; set apicurio.registry.use-id=contentId where it is published`,
  );
}

function confluentHeader(value: Buffer | null, doing: string) {
  const header = `the header ${CONFLUENT_HEADER}`;
  if (value?.length === GUID_BYTES && value[0] === 0x01) {
    const id = guid(value);
    return { id, named: `${header} with schema GUID ${id}` };
  }
  if (value?.length === ID_BYTES && value[0] === 0x00 && value.readInt32BE(1) > 0) {
    const id = value.readInt32BE(1);
    return { id, named: `${header} with schema id ${id}` };
  }
  throw unknown(
    `${doing}: ${header} holds neither 01 and a GUID of 16 bytes nor 00 and an id of 4 bytes`,
  );
}

/** Ids of the content are those of Apicurio's Confluent-compatible API. */
function contentHeader(value: Buffer | null, doing: string) {
  const header = `the header ${APICURIO_CONTENT_ID}`;
  const id = value?.length === 8 ? value.readBigInt64BE() : 0n;
  if (id > 0n && id <= MAX_ID) return { id: Number(id), named: `${header} with id ${id}` };
  throw unknown(`${doing}: ${header} holds no id of Apicurio's: 8 bytes, from 1 to 2^31 - 1`);
}

/** Of repeated headers the last one counts, as for Kafka's own `lastHeader`. */
function last(headers: readonly Header[], name: string): Header | undefined {
  return headers.findLast((header) => header.name === name);
}

/** The 16 bytes after the first, as RFC 9562 writes them. */
function guid(value: Buffer): string {
  return uuidText(value.subarray(1, GUID_BYTES));
}

function undecodable(message: string): AppError {
  return new AppError('event_undecodable', message);
}

function unknown(message: string): AppError {
  return new AppError('event_schema_unknown', message);
}
