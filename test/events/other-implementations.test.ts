import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { CONTRACTS } from '../../src/events/schemas.ts';
import { anImageEvent } from '../support/builders.ts';
import { MemorySchemaRegistry } from '../support/memory-schema-registry.ts';

/** Written by fastavro: see make_fixtures.py there. */
const fixture = (name: string) =>
  readFileSync(new URL(`../fixtures/events/${name}`, import.meta.url));

const event = anImageEvent({
  eventId: 'from-python-Ærø-写真',
  image: { bytes: Buffer.from('89504e470d0a1a0a00ff', 'hex') },
  source: 'upload',
  labels: { album: 'été', '': 'empty key' },
});

describe('what fastavro writes', () => {
  it('is read from single-object encoding', async () => {
    const decoder = createEventDecoder();
    expect(await decoder.decode(fixture('image-event.single-object'))).toEqual(event);
  });

  it('is read from Confluent wire format', async () => {
    const registry = new MemorySchemaRegistry();
    registry.schemas.push(...Array<string>(6).fill('"null"'), CONTRACTS.imageEvent.text);
    const decoder = createEventDecoder({ registry });
    expect(await decoder.decode(fixture('image-event.confluent-7'))).toEqual(event);
  });

  it('is read when written with another version whose schema is known', async () => {
    const alsoKnown = [fixture('other-version.avsc').toString()];
    const decoder = createEventDecoder({ alsoKnown });
    expect(await decoder.decode(fixture('other-version.single-object'))).toEqual({
      ...event,
      tenant: null,
      labels: {},
    });
    await expect(
      createEventDecoder().decode(fixture('other-version.single-object')),
    ).rejects.toMatchObject({ code: 'event_schema_unknown' });
  });

  it('is byte for byte what we write', async () => {
    const encoder = createMessageEncoder({ format: 'avro' });
    const { value } = await encoder.encodeImageEvent(event, 'images');
    expect(value).toEqual(fixture('image-event.single-object'));
  });
});
