import { describe, expect, it } from '@jest/globals';
import { assertJsonWithin } from '../../src/events/json-bounds.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { confluent } from '../support/memory-schema-registry.ts';
import { LIST, decoder, many, shipped, withField } from '../support/strange-records.ts';

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
  const SIZE = 3_000_000;
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
    expect(await cost(value)).toBeLessThan(20 * normal + 500); // it was seconds; a busy machine counts for some
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
