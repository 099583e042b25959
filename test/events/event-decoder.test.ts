import { describe, expect, it } from '@jest/globals';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { CONTRACTS, IMAGE_EVENT } from '../../src/events/schemas.ts';
import type { ImageEvent } from '../../src/events/types.generated.ts';
import { PIXEL_PNG, anImageEvent, asJson } from '../support/builders.ts';
import { MemorySchemaRegistry, confluent } from '../support/memory-schema-registry.ts';

const decoder = createEventDecoder();
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const minimal = { eventId: 'e', occurredAt: 1, image: { uri: 'file:///a.jpg' } };
const singleObject = async (event: ImageEvent) =>
  (await createMessageEncoder({ format: 'avro' }).encodeImageEvent(event, 'images')).value;

describe('createEventDecoder', () => {
  it('recognises each of the three encodings, record by record', async () => {
    const registry = new MemorySchemaRegistry();
    const event = anImageEvent({ tenant: 'acme', labels: { form: 'upload' } });
    const id = registry.add(CONTRACTS.imageEvent.text);
    const mixed = createEventDecoder({ registry });

    for (const value of [
      asJson(event),
      await singleObject(event),
      confluent(id, IMAGE_EVENT.toBuffer(event)),
      asJson(event),
    ]) {
      expect(await mixed.decode(value)).toEqual(event);
    }
  });

  it.each([
    ['no value', null, 'event_empty'],
    ['no bytes', Buffer.alloc(0), 'event_empty'],
    ['text', Buffer.from('hello'), 'event_undecodable'],
    ['a bare JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'event_undecodable'],
    ['a JSON array', Buffer.from('[1]'), 'event_undecodable'],
    ['white space', Buffer.from(' \n'), 'event_undecodable'],
    ['half of C3 01', Buffer.from([0xc3]), 'event_undecodable'],
    ['broken JSON', Buffer.from('{"eventId": '), 'event_undecodable'],
    ['a truncated single-object header', Buffer.from([0xc3, 1, 0]), 'event_undecodable'],
    ['an unknown fingerprint', Buffer.from('c3010102030405060708', 'hex'), 'event_schema_unknown'],
    ['an empty object', Buffer.from('{}'), 'event_invalid'],
  ])('refuses %s', async (_, value, code) => {
    await expect(decoder.decode(value)).rejects.toMatchObject({ code, disposition: 'dead-letter' });
  });

  it('refuses Confluent wire format while no registry is configured, and says what to set', async () => {
    await expect(decoder.decode(confluent(3, Buffer.alloc(1)))).rejects.toMatchObject({
      code: 'event_schema_unknown',
      message: expect.stringMatching(/schema id 3.*set registry\.url/),
    });
  });

  it('refuses a Confluent header that is cut or has no possible id without asking the registry', async () => {
    const registry = new MemorySchemaRegistry();
    const strict = createEventDecoder({ registry });
    await expect(strict.decode(Buffer.from([0, 0, 0, 1]))).rejects.toMatchObject({
      code: 'event_undecodable',
    });
    for (const id of [0, -1]) {
      await expect(strict.decode(confluent(id, Buffer.alloc(9)))).rejects.toMatchObject({
        code: 'event_schema_unknown',
      });
    }
    expect(registry.lookups).toEqual([]);
  });
});

describe('an image event in JSON', () => {
  it('gets the defaults of the schema for what it leaves out', async () => {
    expect(await decoder.decode(json(minimal))).toEqual(
      anImageEvent({ eventId: 'e', occurredAt: 1, image: { uri: 'file:///a.jpg' } }),
    );
  });

  it('may have fields that we do not know yet', async () => {
    const value = json({ ...minimal, priority: 1, image: { ...minimal.image, crop: {} } });
    expect(await decoder.decode(value)).toEqual(await decoder.decode(json(minimal)));
  });

  it('may begin with a byte order mark and white space', async () => {
    const value = Buffer.concat([Buffer.from('efbbbf0d0a0920', 'hex'), json(minimal)]);
    expect((await decoder.decode(value)).eventId).toBe('e');
  });

  it.each([
    ['2025-06-15T15:06:40Z', 1_750_000_000_000],
    ['2025-06-15T15:06:40.250Z', 1_750_000_000_250],
    ['2025-06-15T17:06:40.250999+02:00', 1_750_000_000_250],
    ['2025-06-15T15:06Z', 1_749_999_960_000],
    [1_750_000_000_000, 1_750_000_000_000],
    [-1, -1],
  ])('may date itself %j', async (occurredAt, expected) => {
    const event = await decoder.decode(json({ ...minimal, occurredAt }));
    expect(event.occurredAt).toBe(expected);
  });

  it.each([
    [{ eventId: 7 }, 'eventId: expected a string'],
    [{ eventId: '' }, 'eventId: must not be empty'],
    [{ occurredAt: '2025-06-15T15:06:40' }, 'occurredAt: expected ISO 8601 with a zone'],
    [{ occurredAt: '2025-13-41T00:00:00Z' }, 'occurredAt: expected ISO 8601 with a zone'],
    [{ occurredAt: 'today' }, 'occurredAt: expected ISO 8601 with a zone'],
    [{ occurredAt: 1.5 }, 'occurredAt: expected long'],
    [{ occurredAt: 2 ** 60 }, 'occurredAt: expected long'],
    [{ occurredAt: null }, 'occurredAt: expected long'],
    [{ image: null }, 'image: expected an object'],
    [{ image: 'aGk=' }, 'image: expected an object'],
    [{ image: {} }, 'image: neither bytes nor uri is given'],
    [{ image: { bytes: 'aGk=', uri: 'file:///a' } }, 'image: both bytes and uri are given'],
    [{ image: { bytes: 'a' } }, 'image.bytes: not valid base64'],
    [{ image: { bytes: 'aGk=\n' } }, 'image.bytes: not valid base64'],
    [{ image: { bytes: 'a=k=' } }, 'image.bytes: not valid base64'],
    [{ image: { bytes: '_-==' } }, 'image.bytes: not valid base64'],
    [{ image: { bytes: [1] } }, 'image.bytes: expected base64'],
    [{ image: { uri: 'file:///a', sha256: 'ABC' } }, 'image.sha256: expected 64 lower-case'],
    [{ labels: ['a'] }, 'labels: expected an object'],
    [{ labels: { a: 1 } }, 'labels.a: expected a string'],
    [{ tenant: 5 }, 'tenant: expected a string'],
  ])('is refused with %j', async (change, problem) => {
    await expect(decoder.decode(json({ ...minimal, ...change }))).rejects.toMatchObject({
      code: 'event_invalid',
      message: expect.stringContaining(problem),
    });
  });

  it('has every bad field named at once', async () => {
    const value = json({ occurredAt: 'x', image: { bytes: '?' }, labels: { a: 1, b: 'fine' } });
    await expect(decoder.decode(value)).rejects.toThrow(
      'decoding image event: eventId: missing; occurredAt: expected ISO 8601 with a zone, or epoch ms; ' +
        'image.bytes: not valid base64; labels.a: expected a string',
    );
  });

  it('does not make an endless message of endless faults', async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 900 }, (_, i) => [`${i}`.repeat(50), i]),
    );
    const error: unknown = await decoder
      .decode(json({ ...minimal, labels }))
      .catch((e: unknown) => e);
    expect(String(error)).toMatch(/and 880 more$/);
    expect(String(error).length).toBeLessThan(4_000);
  });

  it('does not repeat values, which may be personal, in its faults', async () => {
    const value = json({ ...minimal, tenant: { name: 'Jane Doe' } });
    await expect(decoder.decode(value)).rejects.toThrow(/^(?!.*Jane)/);
  });

  it('takes an empty image for the images room to judge', async () => {
    const event = await decoder.decode(json({ ...minimal, image: { bytes: '' } }));
    expect(event.image.bytes).toHaveLength(0);
  });

  it('takes a label named __proto__ as a label', async () => {
    const { labels } = await decoder.decode(
      Buffer.from('{"eventId":"e","occurredAt":1,"image":{"uri":"a"},"labels":{"__proto__":"x"}}'),
    );
    expect(Object.entries(labels)).toEqual([['__proto__', 'x']]);
  });

  it('is not taken from a prototype', async () => {
    const value = Buffer.from('{"__proto__":{"eventId":"e"},"occurredAt":1,"image":{"uri":"a"}}');
    await expect(decoder.decode(value)).rejects.toThrow('eventId: missing');
  });
});

describe('text that is not UTF-8', () => {
  it('is replaced in JSON, so that the image is still looked at', async () => {
    const value = Buffer.from(
      JSON.stringify({ ...minimal, labels: { name: 'caf\u00e9' } }),
      'latin1',
    );
    expect((await decoder.decode(value)).labels).toEqual({ name: 'caf\ufffd' });
  });

  it('is replaced in Avro alike', async () => {
    const value = await singleObject(anImageEvent({ labels: { name: 'caf?' } }));
    value[value.indexOf('caf?') + 3] = 0xe9;
    expect((await decoder.decode(value)).labels).toEqual({ name: 'caf\ufffd' });
  });

  it('is replaced where JSON escapes half a character', async () => {
    const value = Buffer.from('{"eventId":"a\\ud800","occurredAt":1,"image":{"uri":"a"}}');
    expect((await decoder.decode(value)).eventId).toBe('a\ufffd');
  });
});

describe('an image event in Avro', () => {
  it('is checked for what its schema cannot say', async () => {
    const value = await singleObject({
      ...anImageEvent({ eventId: '' }),
      image: { bytes: PIXEL_PNG, uri: 'file:///a', sha256: 'no hash' },
    });
    await expect(decoder.decode(value)).rejects.toThrow(
      /eventId: must not be empty; image: both bytes.*; image.sha256: expected/,
    );
  });

  it('is refused when it ends early or late', async () => {
    const value = await singleObject(anImageEvent());
    for (const broken of [value.subarray(0, -1), Buffer.concat([value, Buffer.alloc(1)])]) {
      await expect(decoder.decode(broken)).rejects.toMatchObject({ code: 'event_undecodable' });
    }
  });

  it('does not share memory with the record it came in', async () => {
    const value = await singleObject(anImageEvent());
    const event = await decoder.decode(value);
    value.fill(0);
    expect(event.image.bytes).toEqual(PIXEL_PNG);
  });
});
