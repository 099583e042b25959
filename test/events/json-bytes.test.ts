import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { takeBytesApart } from '../../src/events/json-bytes.ts';

const decoder = createEventDecoder();
const image = Buffer.alloc(6_000, 'an image');
const base64 = image.toString('base64');

/** Where the key is spelt like this the text is parsed as a whole. */
const whole = (json: string): string => json.replaceAll('"bytes"', '"\\u0062ytes"');

/** What the decoder makes of it: the event, or the code of its error. */
async function outcome(json: string): Promise<unknown> {
  return await decoder.decode(Buffer.from(json)).catch((error: unknown) => {
    return (error as { code?: string }).code ?? error;
  });
}

const event = (image: string, labels = '{}'): string =>
  `{"eventId":"1","occurredAt":5,"labels":${labels},"image":${image}}`;

describe('a JSON event whose bytes are taken out before it is parsed', () => {
  const space = fc.stringMatching(/^[ \t\n\r]{0,3}$/);
  // Names and values that look like the key, and like its end.
  const tricky = fc.string({
    unit: fc.constantFrom('"', '\\', 'bytes', ':', 'A', '{', '}', 'é', ' '),
  });

  it('is what it is when parsed as a whole, whatever is around the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 3_072, maxLength: 6_000 }),
        fc.dictionary(tricky, tricky, { maxKeys: 3, noNullPrototype: true }),
        fc.tuple(space, space, space),
        fc.boolean(),
        async (bytes, labels, [a, b, c], labelsFirst) => {
          const text = Buffer.from(bytes).toString('base64');
          const inner = `{${a}"bytes"${b}:${c}"${text}"}`;
          const json = labelsFirst
            ? event(inner, JSON.stringify(labels))
            : `{"image":${inner},"eventId":"1","occurredAt":5,"labels":${JSON.stringify(labels)}}`;
          const decoded = await outcome(json);
          expect(decoded).toEqual(await outcome(whole(json)));
          expect(decoded).toMatchObject({ eventId: '1', image: { bytes: Buffer.from(bytes) } });
        },
      ),
    );
  });

  it.each([
    ['two of them', event(`{"bytes":"${base64}","bytes":"${base64.slice(8)}"}`)],
    ['an empty one behind it', event(`{"bytes":"${base64}","bytes":""}`)],
    ['a label of that name before it', event(`{"bytes":"AAAA"}`, `{"bytes":"${base64}"}`)],
    [
      'a label of that name, and a long image',
      event(`{"bytes":"${base64}"}`, `{"bytes":"${base64}"}`),
    ],
    [
      'a field that nobody knows',
      event(`{"bytes":"AAAA"}`).replace('{', `{"x":{"bytes":"${base64}"},`),
    ],
    ['an escaped slash', event(`{"bytes":"${base64.replaceAll('A', '\\/')}"}`)],
    ['the alphabet of URLs', event(`{"bytes":"${base64.slice(4)}-_-_"}`)],
    ['a letter that is none of base64', event(`{"bytes":"${base64.slice(4)}é==="}`)],
    ['no end', event(`{"bytes":"${base64}`)],
    ['no value', event(`{"bytes":null,"uri":"file:///${base64}"}`)],
    ['a number', event('{"bytes":5}')],
    ['an image that is a string', event(`"${base64}"`)],
    ['rubbish behind it', `${event(`{"bytes":"${base64}"}`)}}`],
    ['rubbish before it', event(`{"bytes":"${base64}"}`).replace(':5', ':5,,')],
    ['a missing id', event(`{"bytes":"${base64}"}`).replace('"eventId":"1",', '')],
  ])('with %s is what it is when parsed as a whole', async (_, json) => {
    expect(await outcome(json)).toEqual(await outcome(whole(json)));
  });

  it('keeps a byte order mark and text that is not UTF-8 as they are taken elsewhere', async () => {
    const odd = Buffer.from(event(`{"bytes":"${base64}"}`, '{"a":"?"}'));
    odd[odd.indexOf('?')] = 0xff;
    const json = Buffer.concat([Buffer.from('\uFEFF'), odd]);
    expect(takeBytesApart(json)).not.toBeNull();
    expect(await decoder.decode(json)).toMatchObject({ labels: { a: '\uFFFD' } });
  });

  it('is left whole where the bytes are few', () => {
    expect(takeBytesApart(Buffer.from(event('{"bytes":"AAAA"}')))).toBeNull();
    expect(takeBytesApart(Buffer.from(event(`{"bytes":"${base64}"}`)))?.text.length).toBeLessThan(
      200,
    );
  });
});
