/** A schema registry whose answers are as bad as its ids are high. */
import { CONTRACTS } from '../src/events/schemas.ts';
import { withStatus } from '../test/support/raw-server.ts';
import type { Answer } from './hostile-answers.ts';

/** Ids and what is behind them. All but `image event` are unusable. */
export const SCHEMA_IDS = {
  'image event': 1,
  forbidden: 2,
  unprocessable: 3,
  'of another type': 4,
  'that refers to itself': 5,
  'nested 10,000 deep': 6,
  'of another record': 7,
  'that is no JSON': 8,
  'that is no Avro': 9,
  'in a page': 10,
  'of 5 MB': 11,
  unknown: 404,
} as const;

/** The registry fails at it, and answers everything else. */
export const BROKEN_ID = 500;

const json = (status: string, body: unknown): Answer => answer(status, JSON.stringify(body));

function answer(status: string, body: string, type = 'application/json'): Answer {
  const bytes = Buffer.from(body);
  const headers = [`content-type: ${type}`, `content-length: ${bytes.length}`];
  return { whole: withStatus(status, [...headers, 'connection: close'], bytes) };
}

const ANSWERS = new Map<string, () => Answer>([
  [path('image event'), () => json('200 OK', { schema: CONTRACTS.imageEvent.text })],
  [path('forbidden'), () => json('403 Forbidden', { error_code: 40301, message: 'no' })],
  [path('unprocessable'), () => json('422 Unprocessable Entity', { error_code: 42201 })],
  [
    path('of another type'),
    () => json('200 OK', { schemaType: 'PROTOBUF', schema: 'syntax = "proto3";' }),
  ],
  [path('that refers to itself'), () => json('200 OK', selfReferring())],
  ['/subjects/self/versions/1', () => json('200 OK', selfReferring())],
  [path('nested 10,000 deep'), () => json('200 OK', { schema: nested(10_000) })],
  [
    path('of another record'),
    () => json('200 OK', { schema: '{"type":"record","name":"Other","fields":[]}' }),
  ],
  [path('that is no JSON'), () => json('200 OK', { schema: '{' })],
  [path('that is no Avro'), () => json('200 OK', { schema: '{"type":"poison"}' })],
  [path('in a page'), () => answer('200 OK', '<html>', 'text/html')],
  [path('of 5 MB'), () => json('200 OK', { schema: `"${'x'.repeat(5_000_000)}"` })],
  [`/schemas/ids/${BROKEN_ID}`, () => answer('500 Internal Server Error', 'oops', 'text/html')],
  ['/schemas/types', () => json('200 OK', ['AVRO'])],
  ['/subjects', () => json('200 OK', [])],
]);

export function registryAnswer(target: string): Answer {
  const known = ANSWERS.get(target.split('?')[0] ?? '');
  return known?.() ?? json('404 Not Found', { error_code: 40403, message: 'Schema not found' });
}

function path(name: keyof typeof SCHEMA_IDS): string {
  return `/schemas/ids/${SCHEMA_IDS[name]}`;
}

function selfReferring(): object {
  const references = [{ name: 'Self', subject: 'self', version: 1 }];
  return {
    schema: '{"type":"record","name":"A","fields":[{"name":"a","type":"Self"}]}',
    references,
  };
}

function nested(depth: number): string {
  return `${'{"type":"array","items":'.repeat(depth)}"null"${'}'.repeat(depth)}`;
}
