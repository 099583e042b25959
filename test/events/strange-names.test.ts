import { describe, expect, it } from '@jest/globals';
import { createVerdictDecoder } from '../../src/events/index.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import { CONTRACTS, VERDICT } from '../../src/events/schemas.ts';
import { aVerdict } from '../support/builders.ts';
import { confluent } from '../support/memory-schema-registry.ts';
import { decoder, json, jsonWith, registry } from '../support/strange-records.ts';

const verdictId = registry.add(CONTRACTS.verdict.text);

describe('a verdict in Avro', () => {
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
      expect(Object.getPrototypeOf((await decoder.decode(json({}))).labels)).toBeNull();
    },
  );
});
