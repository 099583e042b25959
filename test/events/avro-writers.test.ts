import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { anImageEvent } from '../support/builders.ts';
import { MemorySchemaRegistry, confluent } from '../support/memory-schema-registry.ts';

/** Written by Java and two implementations in Python: see the README there. */
const RECORDS = JSON.parse(
  readFileSync(new URL('../fixtures/avro-writers/records.json', import.meta.url), 'utf8'),
) as { name: string; schema: string; bodies: Record<string, string> }[];

const MILLIS = 1_750_000_000_250;
const SECONDS = 1_750_000_000;
const UUID = '00000000-0000-0000-0000-000000000007';
const plain = anImageEvent({
  eventId: 'e1',
  occurredAt: MILLIS,
  image: { uri: 'file:///Ærø/写真.jpg' },
  source: 'form',
  labels: { a: 'b', été: '写真' },
});
const protos = JSON.parse(
  '{"constructor":"constructor","__proto__":"__proto__","toString":"toString","hasOwnProperty":"hasOwnProperty"}',
) as Record<string, string>;
const refused = (code: string, message: string) => ({ code, message });
const invalid = (message: string) => refused('event_invalid', message);
const incompatible = (message: string) => refused('event_schema_incompatible', message);

/** What is not the plain event. */
const OTHERWISE: Record<string, object> = {
  'all nullable, eventId null': invalid('eventId: expected string, not null'),
  'all nullable, occurredAt null': invalid('occurredAt: expected long, not null'),
  'all nullable, image null': invalid('image: expected record, not null'),
  'all nullable, labels null': { ...plain, labels: {} },
  'all nullable, a label null': invalid('labels.c: expected string, not null'),
  'several event types, another event': incompatible('it is of type Other, not ImageEvent'),
  'eventId string or int, an int': incompatible('eventId: cannot read int as string'),
  "names of JavaScript's own": { ...plain, labels: protos },
  'occurredAt int': { ...plain, occurredAt: SECONDS },
  'occurredAt timestamp-micros before 1970': { ...plain, occurredAt: -1 },
  'occurredAt date': { ...plain, occurredAt: Date.UTC(2025, 5, 15) },
  'occurredAt time-millis': incompatible('occurredAt: cannot read int (time-millis) as long'),
  'occurredAt time-micros': incompatible('occurredAt: cannot read long (time-micros) as long'),
  'occurredAt double': incompatible('occurredAt: cannot read double as long'),
  'occurredAt in nanoseconds that say nothing of it': invalid(
    'occurredAt: outside the range of dates: is its unit milliseconds?',
  ),
  'eventId uuid': { ...plain, eventId: UUID },
  'eventId fixed uuid': { ...plain, eventId: UUID },
  'eventId decimal': incompatible('eventId: cannot read bytes (decimal) as string'),
  'eventId enum': incompatible('eventId: cannot read enum as string'),
  'image.bytes string': {
    ...plain,
    image: { bytes: Buffer.from('GIF89a'), uri: null, sha256: null },
  },
  'image.uri bytes': { ...plain, image: { bytes: null, uri: 'file:///a.jpg', sha256: null } },
};

describe.each(['java', 'java-blocking', 'fastavro', 'avro'])('what %s writes', (writer) => {
  const written = RECORDS.filter(({ bodies }) => bodies[writer] !== undefined);

  it('is there for nearly every schema', () => {
    expect(RECORDS.length).toBeGreaterThan(40);
    expect(written.length).toBeGreaterThan(RECORDS.length - 2);
  });

  it.each(written)('is read by its schema: $name', async ({ name, schema, bodies }) => {
    const registry = new MemorySchemaRegistry();
    const decoder = createEventDecoder({ registry });
    const body = Buffer.from(bodies[writer] ?? '', 'base64');
    const outcome = decoder.decode(confluent(registry.add(schema), body));

    const expected = OTHERWISE[name] ?? plain;
    if ('code' in expected && 'message' in expected) {
      const { code, message } = expected;
      await expect(outcome).rejects.toMatchObject({
        code,
        message: expect.stringContaining(String(message)),
      });
    } else {
      expect(await outcome).toEqual(expected);
    }
  });
});

it('the table of exceptions names records that there are', () => {
  const names = RECORDS.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(OTHERWISE)));
});
