import { describe, expect, it } from '@jest/globals';
import type { KafkaMessage } from 'kafkajs';
import { toKafkaRecord } from '../../src/kafka/fetched-message.ts';

function message(overrides: Partial<Record<keyof KafkaMessage, unknown>> = {}): KafkaMessage {
  return {
    key: null,
    value: null,
    timestamp: '1700000000123',
    offset: '42',
    attributes: 0,
    headers: {},
    ...overrides,
  } as KafkaMessage;
}

describe('a Kafka message as a record', () => {
  it('keeps its place and its time as numbers', () => {
    const record = toKafkaRecord('images', 3, message({ offset: '9007199254740991' }));
    expect(record).toEqual({
      topic: 'images',
      partition: 3,
      offset: Number.MAX_SAFE_INTEGER,
      timestamp: 1_700_000_000_123,
      key: null,
      value: null,
      headers: [],
    });
  });

  it('keeps bytes that are not text', () => {
    const bytes = Buffer.from([0xff, 0x00, 0xc3]);
    const record = toKafkaRecord('images', 0, message({ key: bytes, value: bytes }));
    expect([record.key, record.value]).toEqual([bytes, bytes]);
  });

  it('unfolds headers of the same name, in order, null values among them', () => {
    const headers = { a: [Buffer.from('1'), null, Buffer.from('2')], b: Buffer.alloc(0), c: null };
    expect(toKafkaRecord('images', 0, message({ headers })).headers).toEqual([
      { name: 'a', value: Buffer.from('1') },
      { name: 'a', value: null },
      { name: 'a', value: Buffer.from('2') },
      { name: 'b', value: Buffer.alloc(0) },
      { name: 'c', value: null },
    ]);
  });

  it('takes a message of the old format, which has no headers', () => {
    expect(toKafkaRecord('images', 0, message({ headers: undefined })).headers).toEqual([]);
  });
});
