import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import * as limits from '../../src/events/limits.ts';
import { CONTRACTS, VERDICT } from '../../src/events/schemas.ts';
import { aVerdict } from '../support/builders.ts';
import { confluent } from '../support/memory-schema-registry.ts';
import * as strange from '../support/strange-records.ts';

const { HUGE, LIST, avro, changed, decoder, json, jsonWith, labels, many } = strange;
const { nullsOf, registry, withField, withOccurredAt } = strange;
const verdictId = registry.add(CONTRACTS.verdict.text);

const READ = 'read';
const TABLE: [string, Buffer, string, string][] = [
  [
    'a million brackets',
    Buffer.from(`{"a":${'['.repeat(1_000_000)}`),
    'event_undecodable',
    'nested deeper than 128',
  ],
  [
    'a million objects',
    Buffer.from('{"a":'.repeat(1_000_000)),
    'event_undecodable',
    'nested deeper than 128',
  ],
  ['a depth that is still allowed', jsonWith(`"x":${'['.repeat(100)}${']'.repeat(100)}`), READ, ''],
  ['brackets in a string', jsonWith(`"x":"${'[{'.repeat(10_000)}"`), READ, ''],
  ['quotes in a string', jsonWith(`"x":"${'\\"[\\\\'.repeat(10_000)}"`), READ, ''],
  [
    'a string without end',
    Buffer.from(`{"a":"${'\\"'.repeat(10_000)}`),
    'event_undecodable',
    'not valid JSON',
  ],
  [
    'two hundred thousand labels',
    json({ labels: labels(200_000) }),
    'event_undecodable',
    'more than 20000 values',
  ],
  [
    'a hundred thousand unknown fields',
    jsonWith(many(100_000, (i) => `"x${i}":1`)),
    'event_undecodable',
    'more than 20000 values',
  ],
  [
    'a hundred thousand numbers',
    jsonWith(`"x":[${many(100_000, () => '1')}]`),
    'event_undecodable',
    'more than 20000 values',
  ],
  ['an embedding of a thousand numbers', jsonWith(`"x":[${many(1_000, () => '0.5')}]`), READ, ''],
  ['as many labels as may be', json({ labels: labels(limits.MAX_LABELS) }), READ, ''],
  [
    'one label more',
    json({ labels: labels(limits.MAX_LABELS + 1) }),
    'event_invalid',
    'labels: 1001 labels; at most 1000',
  ],
  [
    'one label more, in Avro',
    avro({ labels: labels(limits.MAX_LABELS + 1) }),
    'event_invalid',
    'labels: 1001 labels; at most 1000',
  ],
  [
    'more labels in Avro than values',
    avro({ labels: labels(30_000) }),
    'event_undecodable',
    'more than 20000 values',
  ],
  [
    'a long label key',
    json({ labels: { ['k'.repeat(257)]: '' } }),
    'event_invalid',
    'a key of 257 characters; at most 256',
  ],
  [
    'a long label',
    json({ labels: { a: 'x'.repeat(16_385) } }),
    'event_invalid',
    'labels.a: 16385 characters; at most 16384',
  ],
  [
    'labels that are long together',
    json({ labels: labels(20, 10_000) }),
    'event_invalid',
    'labels: 200030 characters together; at most 131072',
  ],
  [
    'a long eventId',
    json({ eventId: 'x'.repeat(1_025) }),
    'event_invalid',
    'eventId: 1025 characters; at most 1024',
  ],
  [
    'a long source',
    json({ source: 'x'.repeat(1_025) }),
    'event_invalid',
    'source: 1025 characters; at most 1024',
  ],
  [
    'a long tenant',
    avro({ tenant: 'x'.repeat(1_025) }),
    'event_invalid',
    'tenant: 1025 characters; at most 1024',
  ],
  [
    'a long uri',
    avro({ image: { uri: `file:///${'x'.repeat(9_000)}` } }),
    'event_invalid',
    'image.uri: 9008 characters; at most 8192',
  ],
  [
    'an image in a long data: URI',
    json({ image: { uri: `data:,${'x'.repeat(100_000)}` } }),
    READ,
    '',
  ],
  [
    'a date that does not exist',
    json({ occurredAt: '2026-02-30T00:00:00Z' }),
    'event_invalid',
    'occurredAt: expected ISO 8601',
  ],
  [
    'a time beyond dates',
    json({ occurredAt: 8.64e15 + 1 }),
    'event_invalid',
    'occurredAt: outside the range of dates',
  ],
  [
    'a time beyond integers',
    jsonWith('"occurredAt":1e400'),
    'event_invalid',
    'occurredAt: expected long',
  ],
  [
    'a time beyond dates, in Avro',
    withOccurredAt(8_640_000_000_000_001n),
    'event_invalid',
    'occurredAt: outside the range of dates',
  ],
  ['the last time of all, in Avro', withOccurredAt(8_640_000_000_000_000n), READ, ''],
  [
    'the earliest long, in Avro',
    withOccurredAt(-(2n ** 63n)),
    'event_invalid',
    'occurredAt: outside the range of dates',
  ],
  [
    'a time that would round to the other end of time',
    withOccurredAt(-8_640_000_000_000_000n),
    'event_invalid',
    'occurredAt: outside the range of dates',
  ],
  ['labels that are null', json({ labels: null }), READ, ''],
  [
    'an eventId that is null',
    json({ eventId: null }),
    'event_invalid',
    'eventId: expected a string',
  ],
  [
    'a prototype in place of fields',
    Buffer.from('{"__proto__":{"eventId":"e"}}'),
    'event_invalid',
    'eventId: missing',
  ],
  ['a field named constructor', jsonWith('"constructor":{"prototype":{"x":1}}'), READ, ''],
  [
    'labels that are no UTF-8',
    changed(avro({ labels: { k: 'caf?' } }), avro({ labels: { k: 'caf?' } }).indexOf('?'), 0xe9),
    READ,
    '',
  ],
  [
    '2^40 nulls',
    withField({ type: 'array', items: 'null' }, Buffer.concat([HUGE, Buffer.alloc(1)])),
    'event_undecodable',
    'more than 20000 values',
  ],
  ['ten thousand nulls', nullsOf(10_000), READ, ''],
  [
    '2^40 ints',
    withField({ type: 'array', items: 'int' }, HUGE),
    'event_undecodable',
    'not a valid Avro body',
  ],
  ['a map of 2^40', withField({ type: 'map', values: 'null' }, HUGE), 'event_undecodable', ''],
  ['a string of 2^40', withField('string', HUGE), 'event_undecodable', 'a length of'],
  [
    'a list without end',
    withField(LIST, Buffer.alloc(100_000, 2)),
    'event_undecodable',
    'nested deeper than 128',
  ],
  [
    'a list of ten',
    withField(LIST, Buffer.concat([Buffer.alloc(10, 2), Buffer.alloc(1)])),
    READ,
    '',
  ],
  [
    'a record that holds itself',
    withField({ type: 'record', name: 'R', fields: [{ name: 'r', type: 'R' }] }, Buffer.alloc(0)),
    'event_undecodable',
    'nested deeper than 128',
  ],
  [
    'a record of ten thousand nulls',
    withField(
      {
        type: 'record',
        name: 'R',
        fields: Array.from({ length: 10_000 }, (_, i) => ({ name: `f${i}`, type: 'null' })),
      },
      Buffer.alloc(0),
    ),
    READ,
    '',
  ],
  [
    'a record of thirty thousand nulls',
    withField(
      {
        type: 'record',
        name: 'R',
        fields: Array.from({ length: 30_000 }, (_, i) => ({ name: `f${i}`, type: 'null' })),
      },
      Buffer.alloc(0),
    ),
    'event_undecodable',
    'more than 20000 values',
  ],
  [
    'a branch that is not there',
    withField(['null', 'int'], Buffer.from([8])),
    'event_undecodable',
    'a union has no branch 4',
  ],
  [
    'an id that is negative',
    confluent(-1, Buffer.alloc(9)),
    'event_schema_unknown',
    '-1 is no schema id',
  ],
  [
    'an id that nobody gave',
    confluent(9_999, Buffer.alloc(9)),
    'event_schema_unknown',
    'not known',
  ],
  ['one zero byte', Buffer.alloc(1), 'event_undecodable', 'ends within the header'],
  [
    'a record of another contract',
    confluent(verdictId, VERDICT.toBuffer(aVerdict())),
    'event_schema_incompatible',
    'it is of type Verdict',
  ],
  ['a body cut short', avro({}).subarray(0, -1), 'event_undecodable', 'not a valid Avro body'],
  [
    'a byte too many',
    Buffer.concat([avro({}), Buffer.alloc(1)]),
    'event_undecodable',
    '1 bytes too many',
  ],
];

describe('a record with', () => {
  it.each(TABLE)('%s gets its answer', async (_, value, code, message) => {
    if (code === READ) {
      expect(Object.keys(await decoder.decode(value))).toContain('eventId');
      return;
    }
    const error: unknown = await decoder.decode(value).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(String(error).length).toBeLessThan(4_000);
  });
});
