import { describe, expect, it } from '@jest/globals';
import type { WireFormat } from '../../src/events/message-encoder.ts';
import { createMessageEncoder } from '../../src/events/message-encoder.ts';
import type { Header } from '../../src/events/types.generated.ts';
import { recordBytes } from '../../src/kafka/outgoing-message.ts';
import { fitEmission } from '../../src/producers/fit-emission.ts';
import { CARRIED_BYTES, eventBytes, roomOf } from '../../src/producers/message-bounds.ts';
import type { Emission } from '../../src/producers/verdict-sink.ts';
import { eventTopics } from '../../src/topics.ts';
import { configSchema } from '../../src/config-schema.ts';
import { aDeadLetter, anEmbedding, aPolicyResult, aVerdict } from '../support/builders.ts';
import { fitTopics } from '../support/fitted.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

const IMAGE_BYTES = 2 * 1024 * 1024;
const limits = new Map(
  roomOf(fitTopics, eventBytes(IMAGE_BYTES)).map(({ topic, bytes }) => [topic, bytes]),
);

/** Headers that take `total` bytes in JSON, in a record's fields: as many small ones or as few large ones as told. */
function headersOf(total: number, valueBytes: number): Header[] {
  const each = JSON.stringify({ name: 'h', value: 'x'.repeat(Math.ceil(valueBytes / 3) * 4) });
  const count = Math.floor(total / (each.length + 1));
  return Array.from({ length: count }, () => ({ name: 'h', value: Buffer.alloc(valueBytes) }));
}

const policies = Array.from({ length: 100 }, (_, at) =>
  aPolicyResult({ id: `policy-${at}`, prompt: 'p'.repeat(500), contrast: 'c'.repeat(500) }),
);
const labels = (bytes: number) => ({ label: 'x'.repeat(bytes) });

describe('the limits that topics are created with', () => {
  const cases: Array<[string, () => Emission]> = [
    [
      '1 MiB of labels, and a hundred policies',
      () =>
        anEmission('v', { verdict: aVerdict({ labels: labels(CARRIED_BYTES - 100), policies }) }),
    ],
    [
      '1 MiB of headers, and a hundred policies',
      () => {
        const headers = [{ name: 'h', value: Buffer.alloc(CARRIED_BYTES - 100) }];
        return anEmission('v', { headers, verdict: aVerdict({ policies }) });
      },
    ],
    ...[0, 1_000].map((valueBytes): [string, () => Emission] => [
      `a dead letter of the largest record, with 1 MiB of headers of ${valueBytes} bytes`,
      () => {
        const headers = headersOf(CARRIED_BYTES - 100, valueBytes);
        // What the headers take in the record: a name of one byte, its length, and the value's.
        const inRecord = headers.reduce((sum, { value }) => sum + 3 + (value?.length ?? 0), 0);
        const value = Buffer.alloc(eventBytes(IMAGE_BYTES) - inRecord);
        return anEmission('v', { headers, deadLetter: aDeadLetter({ headers, value }) });
      },
    ]),
    [
      'the embeddings of 64 views in 2,048 dimensions',
      () => {
        const vector = Array.from({ length: 2_048 }, () => -0.012345678901234567);
        const view = { frame: 9_999, crop: 'center', background: 'white', vector };
        const others = Array.from({ length: 63 }, () => view);
        return anEmission('v', { embedding: anEmbedding({ vector, others }) });
      },
    ],
  ];
  it.each(cases)('leave room for %s', async (_, emissionOf) => {
    for (const format of ['json', 'avro'] satisfies WireFormat[]) {
      const { messages, shrunk } = await fitEmission(emissionOf(), {
        encoder: createMessageEncoder({ format }),
        topics: fitTopics,
        limitOf: (topic) => limits.get(topic) ?? 0,
      });
      expect(shrunk).toEqual([]);
      for (const { topic, key, value, headers } of messages) {
        expect(recordBytes(key, value, headers)).toBeLessThan(limits.get(topic) ?? 0);
      }
    }
  });

  it('name each topic once, the input first', () => {
    const names = { input: 'in', verdicts: 'v', deadLetters: 'v', routes: { block: 'b' } };
    const topics = configSchema.shape.topics.parse(names);
    const images = configSchema.shape.images.parse({ maxBytes: IMAGE_BYTES });
    const rooms = eventTopics({ topics, images });
    expect(rooms.map(({ topic }) => topic)).toEqual(['in', 'v', 'b']);
    const [input, shared, blocked] = rooms.map(({ bytes }) => bytes);
    expect(input).toBe(eventBytes(IMAGE_BYTES));
    expect(shared).toBeGreaterThan(input ?? 0); // it takes dead letters as well
    expect(blocked).toBeLessThan(shared ?? 0);
  });
});
