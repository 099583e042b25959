import { z } from 'zod';
import { nearestName } from './did-you-mean.ts';

/** A schema's complaint about one value, in words for whoever wrote the file. */
export interface SchemaFault {
  path: PropertyKey[];
  message: string;
  /** `key`: the complaint is about the key itself, not about its value. */
  about: 'key' | 'value';
}

type Checked<T> = { ok: true; value: T } | { ok: false; faults: SchemaFault[] };

/** Validates `input`; an unknown key is a fault of its own, with the known key that it resembles. */
export function checkSchema<T>(schema: z.ZodType<T>, input: unknown): Checked<T> {
  const knownKeys = new WeakMap<object, string[]>();
  const result = schema.safeParse(input, {
    reportInput: true,
    error: (issue) => {
      // Only here, before zod finalises an issue, is the schema at hand that rejected the keys.
      if (issue.code === 'unrecognized_keys' && issue.input) {
        knownKeys.set(issue.input, keysOf(issue.inst));
      }
      return undefined;
    },
  });
  if (result.success) return { ok: true, value: result.data };
  return {
    ok: false,
    faults: result.error.issues.flatMap((issue) => explain(issue, [], knownKeys)),
  };
}

function keysOf(schema: unknown): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (schema instanceof z.ZodRecord && schema.keyType instanceof z.ZodEnum) {
    return schema.keyType.options.map(String);
  }
  return [];
}

function explain(
  issue: z.core.$ZodIssue,
  parent: PropertyKey[],
  knownKeys: WeakMap<object, string[]>,
): SchemaFault[] {
  const path = [...parent, ...issue.path];
  const fault = (message: string): SchemaFault[] => [{ path, message, about: 'value' }];
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = (issue.input && knownKeys.get(issue.input)) ?? [];
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: `unknown key${hint(key, known)}`,
        about: 'key',
      }));
    }
    case 'invalid_key':
      return issue.issues
        .flatMap((inner) => explain(inner, path, knownKeys))
        .map((inner) => ({ ...inner, path, about: 'key' }));
    case 'invalid_union':
      return explainUnion(issue, path, knownKeys);
    case 'invalid_type':
      return fault(mismatch(named(issue.expected), issue.input));
    case 'invalid_value': {
      const values = issue.values.map((value) => JSON.stringify(value));
      const expected = values.length === 1 ? values.join() : `one of ${values.join(', ')}`;
      const near =
        typeof issue.input === 'string' ? hint(issue.input, issue.values.map(String)) : '';
      return fault(mismatch(expected, issue.input) + near);
    }
    case 'too_small':
      return fault(bound(issue.origin, issue.inclusive, 'small', issue.minimum));
    case 'too_big':
      return fault(bound(issue.origin, issue.inclusive, 'big', issue.maximum));
    default:
      return fault(lowerFirst(issue.message));
  }
}

/**
 * Of a union the alternatives that got furthest are explained: `tls: { cs: x }` is an object with a wrong
 * key, not "neither an object nor a boolean".
 */
function explainUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: PropertyKey[],
  knownKeys: WeakMap<object, string[]>,
): SchemaFault[] {
  const ofRightType = issue.errors.find(
    (issues) => !issues.some((inner) => inner.path.length === 0 && isTypeIssue(inner)),
  );
  if (ofRightType) return ofRightType.flatMap((inner) => explain(inner, path, knownKeys));
  const alternatives = issue.errors.flat().flatMap((inner) => {
    if (inner.code === 'invalid_type') return [named(inner.expected)];
    if (inner.code === 'invalid_value') return inner.values.map((value) => JSON.stringify(value));
    return [];
  });
  return [{ path, message: mismatch(alternatives.join(' or '), issue.input), about: 'value' }];
}

function isTypeIssue(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function bound(
  origin: string,
  inclusive: boolean | undefined,
  which: 'small' | 'big',
  limit: number | bigint,
): string {
  const reached = which === 'small' ? 'at least' : 'at most';
  if (origin === 'array')
    return `expected ${reached} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') {
    return which === 'small' && limit === 1
      ? 'must not be empty'
      : `expected ${reached} ${limit} characters`;
  }
  const beyond = which === 'small' ? 'more than' : 'less than';
  return `must be ${inclusive ? reached : beyond} ${limit}`;
}

function mismatch(expected: string, input: unknown): string {
  return input === undefined
    ? `missing; expected ${expected}`
    : `expected ${expected}, found ${described(input)}`;
}

function hint(given: string, known: readonly string[]): string {
  const near = nearestName(given, known);
  return near === undefined ? '' : `; did you mean "${near}"?`;
}

const NAMES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function named(type: string): string {
  return NAMES[type] ?? type;
}

function described(input: unknown): string {
  if (input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a mapping';
  const text = typeof input === 'number' ? String(input) : JSON.stringify(input);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
