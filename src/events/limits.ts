/**
 * What one record may ask of us. Each bound is far above what publishers send and keeps the work on a hostile record
 * in proportion to its bytes; docs/events.md lists them.
 */

/** Levels of arrays, objects, records, maps and unions inside each other, in JSON and in Avro. */
export const MAX_DEPTH = 128;

/** Values in one image event: members, items, fields, known to us or not. */
export const MAX_EVENT_VALUES = 20_000;

/** Values in one message that Moderato itself wrote: an embedding has up to a million numbers. */
export const MAX_MESSAGE_VALUES = 4_000_000;

/** Lengths in UTF-16 code units, as `string.length` counts. */
export const MAX_EVENT_ID_LENGTH = 1_024;
export const MAX_SOURCE_LENGTH = 1_024;
export const MAX_TENANT_LENGTH = 1_024;
/** Any reference but a `data:` URI, which is the image itself. */
export const MAX_URI_LENGTH = 8_192;

export const MAX_LABELS = 1_000;
export const MAX_LABEL_KEY_LENGTH = 256;
export const MAX_LABEL_VALUE_LENGTH = 16_384;
/** Keys and values of all labels of one event together. */
export const MAX_LABELS_LENGTH = 131_072;

/**
 * Milliseconds since the epoch. Later instants are no JavaScript dates (ECMA-262, "Time Values and Time Range");
 * earlier ones avsc does not write exactly.
 */
export const MIN_TIME = -(2 ** 52);
export const MAX_TIME = 8.64e15;

/** Bytes of one answer of a schema registry. */
export const MAX_REGISTRY_ANSWER = 4 * 1024 * 1024;
/** Levels and values of the JSON of an Avro schema. */
export const MAX_SCHEMA_DEPTH = 256;
export const MAX_SCHEMA_VALUES = 200_000;
