import type avsc from 'avsc';
import type { AvroCursor } from './avro-cursor.ts';
import type { AvroSchema } from './avro-schema.ts';
import type { Fault } from './faults.ts';
import { isTimeInRange, TIME_RANGE } from './instant.ts';
import { isTimestamp } from './schemas.ts';
import { uuidText } from './uuid.ts';

/** Reads one value; what does not fit goes to `faults` and is undefined in the result. */
export type Read = (cursor: AvroCursor, faults: Fault[]) => unknown;

/**
 * The reader of a scalar of `writer` as `reader`, by the promotions of the Avro specification ("Schema Resolution")
 * and the units of its logical types; undefined where there is none.
 */
export function scalarReader(writer: AvroSchema, reader: avsc.Type): Read | undefined {
  switch (reader.typeName) {
    case 'null':
      return writer.kind === 'null' ? () => null : undefined;
    case 'boolean':
      return writer.kind === 'boolean' ? (cursor) => cursor.boolean() : undefined;
    case 'string':
      return textReader(writer);
    case 'bytes':
      // Copied: a message must not share memory with the record that it came in.
      return writer.kind === 'bytes' || writer.kind === 'string'
        ? (cursor) => Buffer.from(cursor.takeSized())
        : undefined;
    case 'fixed':
      return fixedReader(writer, (reader as avsc.Type & { size: number }).size);
    case 'int':
    case 'long':
      return isTimestamp(reader) ? timeReader(writer) : integerReader(writer, reader);
    case 'float':
    case 'double':
      return finite(numberReader(writer, reader.typeName));
    default:
      return undefined;
  }
}

function textReader(writer: AvroSchema): Read | undefined {
  if (writer.kind === 'string') return (cursor) => cursor.text();
  if (writer.kind === 'bytes' && writer.logical !== 'decimal') return (cursor) => cursor.text();
  if (writer.kind === 'fixed' && writer.logical === 'uuid' && writer.size === 16) {
    return (cursor) => uuidText(cursor.take(16));
  }
  return undefined;
}

function fixedReader(writer: AvroSchema, size: number): Read | undefined {
  if (writer.kind !== 'fixed' || writer.size !== size) return undefined;
  return (cursor) => Buffer.from(cursor.take(size));
}

/** How many of a logical type's unit are a millisecond. */
const UNITS = new Map<string, number>(
  ['timestamp', 'local-timestamp'].flatMap((kind): [string, number][] => [
    [`${kind}-millis`, 1],
    [`${kind}-micros`, 1_000],
    [`${kind}-nanos`, 1_000_000],
  ]),
);
const DAY_MS = 86_400_000;

/** A time of day or a duration is no instant. A local timestamp names no zone and is read as UTC. */
const NO_INSTANT = /^(time-|decimal$)/;

function timeReader(writer: AvroSchema): Read | undefined {
  if (writer.kind !== 'int' && writer.kind !== 'long') return undefined;
  const { kind, logical = '' } = writer;
  if (NO_INSTANT.test(logical)) return undefined;
  const isDay = logical === 'date' && kind === 'int';
  const perMs = kind === 'long' ? (UNITS.get(logical) ?? 1) : 1;
  return (cursor, faults) => {
    const value = cursor.integer();
    const time = isDay ? Number(value) * DAY_MS : toMillis(value, perMs);
    if (isTimeInRange(time)) return time;
    faults.push({ path: '', problem: TIME_RANGE });
    return undefined;
  };
}

/** Rounded down, so that an instant stays in its millisecond before 1970 too; by remainders, which are exact. */
function toMillis(value: number | bigint, perMs: number): number {
  if (typeof value === 'number') return (value - (((value % perMs) + perMs) % perMs)) / perMs;
  const per = BigInt(perMs);
  return Number((value - (((value % per) + per) % per)) / per);
}

function integerReader(writer: AvroSchema, reader: avsc.Type): Read | undefined {
  const narrower = writer.kind === 'int' || (writer.kind === 'long' && reader.typeName === 'long');
  if (!narrower) return undefined;
  return (cursor, faults) => {
    const value = Number(cursor.integer());
    // Beyond 2^53 the number might be another one than was written.
    if (Number.isSafeInteger(value) && reader.isValid(value)) return value;
    faults.push({ path: '', problem: `expected ${reader.typeName} that a double holds exactly` });
    return undefined;
  };
}

function numberReader(writer: AvroSchema, to: 'float' | 'double'): Read | undefined {
  switch (writer.kind) {
    case 'int':
    case 'long':
      return (cursor) => Number(cursor.integer());
    case 'float':
      return (cursor) => cursor.float();
    case 'double':
      return to === 'double' ? (cursor) => cursor.double() : undefined;
    default:
      return undefined;
  }
}

function finite(read: Read | undefined): Read | undefined {
  if (read === undefined) return undefined;
  return (cursor, faults) => {
    const value = read(cursor, faults);
    if (Number.isFinite(value)) return value;
    faults.push({ path: '', problem: 'not a finite number' });
    return undefined;
  };
}
