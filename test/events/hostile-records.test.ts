import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/errors.ts';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { createVerdictDecoder } from '../../src/events/index.ts';
import { assertJsonWithin } from '../../src/events/json-bounds.ts';
import * as limits from '../../src/events/limits.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { CONTRACTS, IMAGE_EVENT, VERDICT } from '../../src/events/schemas.ts';
import { aVerdict, anImageEvent, asJson } from '../support/builders.ts';
import { MemorySchemaRegistry, confluent } from '../support/memory-schema-registry.ts';

const registry = new MemorySchemaRegistry();
const decoder = createEventDecoder({ registry });
const shipped = registry.add(CONTRACTS.imageEvent.text);
const verdictId = registry.add(CONTRACTS.verdict.text);

const minimal = { eventId: 'e', occurredAt: 1, image: { uri: 'file:///a.jpg' } };
const json = (changes: object) => Buffer.from(JSON.stringify({ ...minimal, ...changes }));
/** `{"eventId":…}` with more text before the closing brace. */
const jsonWith = (more: string) => Buffer.from(`${json({}).toString().slice(0, -1)},${more}}`);
const many = (count: number, item: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => item(index)).join(',');
const labels = (count: number, length = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}`, 'x'.repeat(length)]));
const avro = (event: Parameters<typeof anImageEvent>[0]) =>
  confluent(shipped, IMAGE_EVENT.toBuffer(anImageEvent(event)));

/** Our schema with one more field before all others. */
function withField(type: unknown, bytes: Buffer): Buffer {
  const schema = JSON.parse(CONTRACTS.imageEvent.text) as { fields: unknown[] };
  schema.fields.unshift({ name: 'more', type });
  const body = IMAGE_EVENT.toBuffer(anImageEvent());
  return confluent(registry.add(JSON.stringify(schema)), Buffer.concat([bytes, body]));
}
const LIST = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] };
/** 2^40 as a count. */
const HUGE = Buffer.from('808080808040', 'hex');
const changed = (value: Buffer, at: number, byte: number) => {
  const copy = Buffer.from(value);
  copy[at] = byte;
  return copy;
};
const nullsOf = (count: number) => {
  const type = { type: 'array', items: 'null' };
  const varint = Buffer.from([
    ((count * 2) & 0x7f) | 0x80,
    (((count * 2) >> 7) & 0x7f) | 0x80,
    (count * 2) >> 14,
    0,
  ]);
  return withField(type, varint);
};
const withOccurredAt = (time: bigint) => {
  const varint: number[] = [];
  let zigzag = BigInt.asUintN(64, (time << 1n) ^ (time >> 63n));
  for (; zigzag >= 0x80n; zigzag >>= 7n) varint.push(Number(zigzag & 0x7fn) | 0x80);
  varint.push(Number(zigzag));
  const body = IMAGE_EVENT.toBuffer(anImageEvent({ eventId: 'e', occurredAt: 0 }));
  return confluent(
    shipped,
    Buffer.concat([body.subarray(0, 2), Buffer.from(varint), body.subarray(3)]),
  );
};

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

  it.each([
    ['NaN', Number.NaN],
    ['infinity', Infinity],
  ])('a score of %s is not a verdict', async (_, totalMs) => {
    const verdict = aVerdict();
    const timings = { ...verdict.timings, totalMs };
    const value = confluent(verdictId, VERDICT.toBuffer({ ...verdict, timings }));
    await expect(createVerdictDecoder({ registry }).decode(value)).rejects.toMatchObject({
      code: 'event_invalid',
      message: expect.stringContaining('timings.totalMs: not a finite number'),
    });
  });
});

describe("labels named like JavaScript's own", () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
  const text = `{${names.map((name) => `"${name}":"of ${name}"`).join(',')}}`;
  const entries = names.map((name) => [name, `of ${name}`]);

  it.each(['json', 'avro', 'confluent'] as const)(
    'come back in the verdict and are read from it, in %s',
    async (format) => {
      const encoder = createMessageEncoder({ format, registry });
      const fromJson = await decoder.decode(jsonWith(`"labels":${text}`));
      const { value } = await encoder.encodeImageEvent(fromJson, 'images');
      const event = await decoder.decode(value);
      const verdict = await encoder.encodeVerdict(aVerdict({ labels: event.labels }), 'verdicts');
      const read = await createVerdictDecoder({ registry }).decode(verdict.value);

      for (const each of [fromJson.labels, event.labels, read.labels]) {
        expect(Object.entries(each)).toEqual(entries);
      }
      expect((await decoder.decode(json({}))).labels['toString']).toBeUndefined();
    },
  );
});

describe('the work that a record causes', () => {
  /** CPU time of decoding it, the least of three, in ms. */
  async function cost(value: Buffer): Promise<number> {
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { user } = process.cpuUsage();
      await decoder.decode(value).catch(() => undefined);
      times.push((process.cpuUsage().user - user) / 1_000);
    }
    return Math.min(...times);
  }
  const SIZE = 8_000_000;
  const image = Buffer.alloc((SIZE * 3) / 4, 'an image');
  const size = (start: string, item: string) =>
    Buffer.from(start + item.repeat(Math.ceil(SIZE / item.length)));

  it.each([
    ['brackets', size('{"a":', '[')],
    ['objects', size('', '{"a":')],
    ['labels', size('{"labels":{', '"a":"",')],
    ['empty strings', size('{"a":[', '"",')],
    ['escaped quotes', size('{"a":"', '\\"')],
    ['backslashes', size('{"a":"', '\\')],
    ['white space', size('{', ' ')],
    ['several images', size('{"image":{', `"bytes":"${'A'.repeat(5_000)}",`)],
    ['digits', size('{"a":', '1')],
    [
      'Avro labels',
      confluent(
        shipped,
        size(
          '\u0002e\u0000\u0000\u0002\u0000\u0000\u0000\u0000\u0080\u0080\u0080\u0008',
          '\u0000\u0000',
        ),
      ),
    ],
    ['an Avro list', withField(LIST, Buffer.alloc(SIZE, 2))],
    ['Avro ints', withField({ type: 'array', items: 'int' }, Buffer.alloc(SIZE, 0x7f))],
  ])('of %s is in proportion to an image of its size', async (_, value) => {
    const normal = await cost(asJson(anImageEvent({ image: { bytes: image } })));
    expect(await cost(value)).toBeLessThan(20 * normal + 50);
  });

  it('is known before JSON is parsed', () => {
    const bounds = { depth: 3, values: 4 };
    for (const text of ['[[[]]]', '{"a":[1,2,{}]}', '"[[[[[["', '{"a":1,"b":2}', '']) {
      expect(() => assertJsonWithin(Buffer.from(text), bounds)).not.toThrow();
    }
    expect(() => assertJsonWithin(Buffer.from('[[[['), bounds)).toThrow('nested deeper than 3');
    const items = `[${many(12, () => '1')}]`;
    expect(() => assertJsonWithin(Buffer.from(items), bounds)).toThrow('more than 4 values');
  });
});

describe('whatever a stranger sends', () => {
  const valid = [
    json({ labels: { a: 'b' }, source: 's' }),
    avro({ labels: { a: 'b' } }),
    avro({ image: { bytes: Buffer.alloc(20) } }),
    nullsOf(10_000),
    withField(LIST, Buffer.from([2, 2, 0])),
  ];
  const mutation = fc.record({
    at: fc.nat({ max: 400 }),
    remove: fc.nat({ max: 3 }),
    insert: fc.uint8Array({ maxLength: 4 }),
  });
  // Not the id, of which there are too many that the registry does not know.
  const mutate = (
    value: Buffer,
    { at, remove, insert }: { at: number; remove: number; insert: Uint8Array },
  ) => {
    const from = value[0] === 0 ? 5 + (at % (value.length - 5)) : at % value.length;
    return Buffer.concat([value.subarray(0, from), insert, value.subarray(from + remove)]);
  };

  it('it is an image event that we can write, or an error with a code', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...valid),
        fc.array(mutation, { maxLength: 3 }),
        async (value, mutations) => {
          const event = await decoder
            .decode(mutations.reduce(mutate, value))
            .catch((error: unknown) => {
              expect(error).toBeInstanceOf(AppError);
              expect(error).toMatchObject({ disposition: 'dead-letter' });
            });
          if (event) expect(IMAGE_EVENT.isValid(event)).toBe(true);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('its schema is read or refused with a code, however it is mutated', async () => {
    const schema = Buffer.from(CONTRACTS.imageEvent.text);
    const body = IMAGE_EVENT.toBuffer(anImageEvent());
    const clock = { now: () => 0, elapsed: () => 0, sleep: () => Promise.resolve() };
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.nat({ max: 900 }),
            remove: fc.nat({ max: 9 }),
            insert: fc.uint8Array({ maxLength: 2 }),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        async (mutations) => {
          const strangers = new MemorySchemaRegistry();
          const id = strangers.add(mutations.reduce(mutate, schema).toString());
          await createEventDecoder({ registry: strangers, clock })
            .decode(confluent(id, body))
            .catch((error: unknown) => {
              expect(error).toBeInstanceOf(AppError);
              expect(error).toMatchObject({ disposition: 'dead-letter' });
            });
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
