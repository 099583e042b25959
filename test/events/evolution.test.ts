import { describe, expect, it } from '@jest/globals';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { schemaFingerprint } from '../../src/events/fingerprint.ts';
import { createMessageDecoder } from '../../src/events/message-decoder.ts';
import { CONTRACTS, VERDICT, parseSchema, type Contract } from '../../src/events/schemas.ts';
import type { Verdict } from '../../src/events/types.generated.ts';
import { aVerdict, anImageEvent } from '../support/builders.ts';
import { MemorySchemaRegistry, confluent } from '../support/memory-schema-registry.ts';

interface Field {
  name: string;
  type: unknown;
  default?: unknown;
}
type RecordSchema = { name: string; namespace?: string; fields: Field[] };

/** Another version of a contract: its schema, changed. */
function versionOf(contract: Contract, change: (schema: RecordSchema) => void): Contract {
  const schema = JSON.parse(contract.text) as RecordSchema;
  change(schema);
  const text = JSON.stringify(schema);
  return { ...contract, text, type: parseSchema(text) };
}
const without =
  (...names: string[]) =>
  (schema: RecordSchema) => {
    schema.fields = schema.fields.filter(({ name }) => !names.includes(name));
  };
const adding = (field: Field) => (schema: RecordSchema) => {
  schema.fields.unshift(field);
};

/** What `reader` makes of `message` written by `writer`, over either way of naming a schema. */
const ENCODINGS = {
  'Confluent wire format': (writer: Contract, reader: Contract, message: object) => {
    const registry = new MemorySchemaRegistry();
    const value = confluent(registry.add(writer.text), writer.type.toBuffer(message));
    return createMessageDecoder(reader, { registry }).decode(value);
  },
  'single-object encoding': (writer: Contract, reader: Contract, message: object) => {
    const header = Buffer.concat([Buffer.from([0xc3, 1]), schemaFingerprint(writer.type)]);
    const value = Buffer.concat([header, writer.type.toBuffer(message)]);
    return createMessageDecoder(reader, { alsoKnown: [writer.text] }).decode(value);
  },
};

const event = anImageEvent({ source: 'form', tenant: 'acme', labels: { a: 'b' } });
const { imageEvent, verdict } = CONTRACTS;
const older = versionOf(imageEvent, without('tenant', 'labels'));
const newer = versionOf(imageEvent, (schema) => {
  adding({ name: 'priority', type: 'int', default: 0 })(schema);
  adding({ name: 'regions', type: { type: 'array', items: 'string' }, default: [] })(schema);
});

const damaged = aVerdict();
if (damaged.image) damaged.image.damaged = true;
/** The schema of a verdict, and a verdict, from when `damaged` was called `truncated`. */
const renamed = (schema: string): string =>
  schema.replace('"name":"damaged","aliases":["truncated"]', '"name":"truncated"');
const asBefore = (message: object) =>
  JSON.parse(JSON.stringify(message).replace('"damaged":', '"truncated":')) as Verdict;

describe.each(Object.entries(ENCODINGS))('over %s', (_, read) => {
  it('an older publisher is read with defaults for what it does not know', async () => {
    expect(await read(older, imageEvent, event)).toEqual({ ...event, tenant: null, labels: {} });
  });

  it('a newer publisher is read without what we do not know', async () => {
    const message = { ...event, priority: 9, regions: ['a', 'b'] };
    expect(await read(newer, imageEvent, message)).toEqual(event);
  });

  it('a verdict of ours is read by an older consumer and by a newer one', async () => {
    const past = versionOf(verdict, without('tenant', 'image'));
    const future = versionOf(verdict, adding({ name: 'region', type: 'string', default: 'eu' }));
    const { tenant, image, ...known } = aVerdict();

    expect(await read(verdict, past, aVerdict())).toEqual(known);
    expect(await read(verdict, future, aVerdict())).toEqual({
      ...known,
      tenant,
      image,
      region: 'eu',
    });
  });

  it('a verdict from before `truncated` became `damaged` is read, and ours by a consumer from before', async () => {
    const past = {
      ...verdict,
      text: renamed(verdict.text),
      type: parseSchema(renamed(verdict.text)),
    };
    expect(await read(past, verdict, asBefore(damaged))).toEqual(damaged);
    // There the field has its default.
    const { image, ...rest } = asBefore(damaged);
    expect(await read(verdict, past, damaged)).toEqual({
      ...rest,
      image: { ...image, truncated: false },
    });
  });

  it('a writer without a namespace, or with another, is read all the same', async () => {
    const bare = versionOf(imageEvent, (schema) => {
      delete schema.namespace;
    });
    expect(await read(bare, imageEvent, event)).toEqual(event);
  });

  it('a union that only the writer has is skipped', async () => {
    const branches = [
      'null',
      { type: 'record', name: 'A', fields: [{ name: 'x', type: 'int' }] },
      { type: 'record', name: 'B', fields: [{ name: 'y', type: 'int' }] },
    ];
    const odd = versionOf(imageEvent, adding({ name: 'odd', type: branches }));
    expect(await read(odd, imageEvent, { ...event, odd: { 'moderato.v1.B': { y: 1 } } })).toEqual(
      event,
    );
  });

  it('an int is read where we have a long', async () => {
    const narrow = versionOf(imageEvent, ({ fields }) => {
      fields.splice(1, 1, { name: 'occurredAt', type: 'int' });
    });
    expect(await read(narrow, imageEvent, { ...event, occurredAt: 5 })).toEqual({
      ...event,
      occurredAt: 5,
    });
  });
});

it('a writer whose message is nullable is read, and its null is invalid', async () => {
  const registry = new MemorySchemaRegistry();
  const id = registry.add(`["null",${imageEvent.text}]`);
  const decoder = createEventDecoder({ registry });
  const value = confluent(id, Buffer.concat([Buffer.from([2]), imageEvent.type.toBuffer(event)]));
  expect(await decoder.decode(value)).toEqual(event);
  await expect(decoder.decode(confluent(id, Buffer.from([0])))).rejects.toMatchObject({
    code: 'event_invalid',
    message: 'decoding image event: the message is null',
  });
});

describe('a writer that cannot be read', () => {
  it.each([
    ['lacks a field without default', versionOf(imageEvent, without('image'))],
    [
      'has another type',
      versionOf(imageEvent, ({ fields }) => {
        fields.splice(0, 1, { name: 'eventId', type: 'int' });
      }),
    ],
    [
      'writes another kind of record',
      versionOf(imageEvent, (schema) => {
        schema.name = 'Order';
      }),
    ],
    ['writes no record', { ...imageEvent, text: '"string"', type: parseSchema('"string"') }],
  ])('is told apart from a broken record: it %s', async (_, writer) => {
    const registry = new MemorySchemaRegistry();
    const value = confluent(registry.add(writer.text), Buffer.alloc(40));
    await expect(createEventDecoder({ registry }).decode(value)).rejects.toMatchObject({
      code: 'event_schema_incompatible',
      message: expect.stringContaining('cannot be read as ours'),
    });
  });
});

describe('JSON', () => {
  it('is read under the name that a field had before', async () => {
    const value = Buffer.from(JSON.stringify(asBefore(damaged)));
    expect(await createMessageDecoder(verdict, {}).decode(value)).toEqual(damaged);
  });

  it('of a newer version is read, and that of an older one gets defaults', async () => {
    const decoder = createMessageDecoder(verdict, {});
    const { tenant, labels, ...past } = aVerdict();
    const value = Buffer.from(JSON.stringify({ ...past, brandNew: [1] }));
    expect(await decoder.decode(value)).toEqual({ ...past, tenant, labels });
    expect(VERDICT.isValid(await decoder.decode(value))).toBe(true);
  });
});
