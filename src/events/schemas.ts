/**
 * The message contracts: `schemas/*.avsc`, loaded once. Values are plain: a `null | X` union is null or X
 * itself, a long is a number, bytes are a Buffer. This room turns bytes into messages and back; it knows
 * nothing of Kafka, images, models or policies.
 */
import { readFileSync } from 'node:fs';
import avsc from 'avsc';
import { packageFile } from '../package-files.ts';
import { MAX_EVENT_VALUES, MAX_MESSAGE_VALUES } from './limits.ts';

/** One kind of message. */
export interface Contract {
  /** In words, for messages: `image event`. */
  readonly title: string;
  /** The Avro schema as shipped, minified: what is registered. */
  readonly text: string;
  readonly type: avsc.Type;
  /** Values that one message may hold, in JSON or Avro. */
  readonly maxValues: number;
}

const MILLIS = avsc.Type.forSchema('long');

/** True for `timestamp-millis`, which JSON may also write as ISO 8601. */
export function isTimestamp(type: avsc.Type): boolean {
  return type === MILLIS;
}

/**
 * The type of one of our own Avro schemas in JSON, to write by and to check against. Schemas of other publishers are
 * read by `parseAvroSchema`. Throws when the text is no Avro schema.
 */
export function parseSchema(text: string): avsc.Type {
  return avsc.Type.forSchema(JSON.parse(text) as avsc.Schema, {
    omitRecordMethods: true,
    typeHook: (schema) => {
      const { type, logicalType } = schema as { type?: unknown; logicalType?: unknown };
      return type === 'long' && logicalType === 'timestamp-millis' ? MILLIS : undefined;
    },
  });
}

/**
 * What a field is read as where the publisher has none; undefined where it must have one. Maps have no prototype,
 * as those that are read have none: their keys are a stranger's.
 */
export function defaultOf(field: avsc.types.Field): unknown {
  const value: unknown = field.defaultValue();
  if (!(field.type instanceof avsc.types.MapType) || value === undefined) return value;
  return Object.assign(Object.create(null) as object, value);
}

function load(title: string, file: string, maxValues = MAX_MESSAGE_VALUES): Contract {
  const text = JSON.stringify(JSON.parse(readFileSync(packageFile(`schemas/${file}`), 'utf8')));
  return { title, text, type: parseSchema(text), maxValues };
}

export const CONTRACTS = {
  imageEvent: load('image event', 'image-event.v1.avsc', MAX_EVENT_VALUES),
  verdict: load('verdict', 'verdict.v1.avsc'),
  deadLetter: load('dead letter', 'dead-letter.v1.avsc'),
  embedding: load('embedding', 'embedding.v1.avsc'),
} as const;

export const IMAGE_EVENT = CONTRACTS.imageEvent.type;
export const VERDICT = CONTRACTS.verdict.type;
export const DEAD_LETTER = CONTRACTS.deadLetter.type;
export const EMBEDDING = CONTRACTS.embedding.type;
