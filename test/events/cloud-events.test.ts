import { describe, expect, it } from '@jest/globals';
import {
  cloudEventHeaders,
  deadLetterCloudEvent,
  embeddingCloudEvent,
  verdictCloudEvent,
} from '../../src/events/cloud-events.ts';
import type { Header } from '../../src/events/types.generated.ts';
import { aDeadLetter, aNotInspectedVerdict, aVerdict } from '../support/builders.ts';

const header = (name: string, value: string): Header => ({ name, value: Buffer.from(value) });
const textOf = (headers: Header[]) => headers.map(({ name, value }) => [name, value?.toString()]);

describe('CloudEvents headers', () => {
  it('describe a verdict in binary content mode', () => {
    const headers = cloudEventHeaders(verdictCloudEvent(aVerdict()), 'application/json');

    expect(Object.fromEntries(textOf(headers))).toEqual({
      ce_specversion: '1.0',
      ce_id: '0123456789abcdef0123456789abcdef',
      ce_type: 'moderato.verdict.v1',
      ce_source: '/moderato/images',
      ce_subject: 'event-1',
      ce_time: '2025-06-15T15:06:40.250Z',
      'content-type': 'application/json',
    });
  });

  it('name no subject when the record had no readable event id', () => {
    const headers = cloudEventHeaders(
      verdictCloudEvent(aNotInspectedVerdict()),
      'application/json',
    );
    expect(headers.map(({ name }) => name)).not.toContain('ce_subject');
  });

  it('name no subject that CloudEvents forbids: empty, or with control characters', () => {
    for (const eventId of ['', 'a\nb', '\u0000', '\u0085']) {
      const headers = cloudEventHeaders(verdictCloudEvent(aVerdict({ eventId })), 'text/plain');
      expect(headers.map(({ name }) => name)).not.toContain('ce_subject');
    }
  });

  it('write a subject in UTF-8', () => {
    const headers = cloudEventHeaders(verdictCloudEvent(aVerdict({ eventId: 'Ærø-写真' })), 'x/y');
    expect(textOf(headers)).toContainEqual(['ce_subject', 'Ærø-写真']);
  });

  it('leave out what names the schema of the input, and keep what names that of its key', () => {
    const carried = ['__value_schema_id', 'apicurio.value.contentId', '__key_schema_id', 'mine'];
    const headers = cloudEventHeaders(
      verdictCloudEvent(aVerdict()),
      'x/y',
      carried.map((name) => header(name, 'v')),
    );
    const names = headers.map(({ name }) => name);
    expect(names.filter((name) => carried.includes(name))).toEqual(['__key_schema_id', 'mine']);
  });

  it('replace what described the input event, whatever its case', () => {
    const carried = [
      header('ce_id', 'input'),
      header('CE_Type', 'upload'),
      header('ce_traceparent', '00-1'),
      header('Content-Type', 'application/avro'),
    ];
    const headers = cloudEventHeaders(verdictCloudEvent(aVerdict()), 'application/json', carried);

    const names = headers.map(({ name }) => name);
    expect(names.filter((name) => /^content-type$/i.test(name))).toEqual(['content-type']);
    expect(names).not.toContain('CE_Type');
    expect(names).not.toContain('ce_traceparent');
    expect(textOf(headers).filter(([name]) => name === 'ce_id')).toEqual([
      ['ce_id', '0123456789abcdef0123456789abcdef'],
    ]);
  });

  it('carry every other header over, in order, repeated and null ones too', () => {
    const carried = [
      header('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
      header('tag', 'a'),
      { name: 'tag', value: null },
      header('tag', 'b'),
    ];
    const headers = cloudEventHeaders(verdictCloudEvent(aVerdict()), 'application/json', carried);
    expect(headers.slice(0, 4)).toEqual(carried);
  });

  it('give the messages of one record different ids, since source and id identify an event', () => {
    const verdict = aVerdict();
    const events = [
      verdictCloudEvent(verdict),
      deadLetterCloudEvent(aDeadLetter(), verdict),
      embeddingCloudEvent(verdict),
    ];
    expect(new Set(events.map(({ source }) => source)).size).toBe(1);
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    expect(events.map(({ type }) => type)).toEqual([
      'moderato.verdict.v1',
      'moderato.dead-letter.v1',
      'moderato.embedding.v1',
    ]);
  });
});
