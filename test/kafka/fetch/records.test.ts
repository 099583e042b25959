import { describe, expect, it } from '@jest/globals';
import { toKafkaRecord, type FetchedMessage } from '../../../src/kafka/fetch/fetched-message.ts';
import { recordBatch, recordBytes, varint, type BatchParts } from '../../support/record-batch.ts';
import { decode, outcomes } from './decoding.ts';

const first = ({ records }: { records: Iterable<FetchedMessage> }): FetchedMessage =>
  [...records][0] as FetchedMessage;

async function one(parts: BatchParts): Promise<FetchedMessage> {
  return first(await decode([await recordBatch(parts)]));
}

function manyHeaders(count: number): Array<[string, Buffer]> {
  return Array.from({ length: count }, (_, index) => [`h${index}`, Buffer.from('v')]);
}

describe('a fetched record', () => {
  it('keeps its bytes, its place and its time', async () => {
    const key = Buffer.from([0xff, 0, 0xc3]);
    const message = await one({
      baseOffset: 2n ** 53n - 10n,
      records: [{ offsetDelta: 4, timestampDelta: -12_345, key, value: Buffer.alloc(0) }],
    });
    expect(toKafkaRecord('images', 3, message)).toEqual({
      topic: 'images',
      partition: 3,
      offset: Number.MAX_SAFE_INTEGER - 5,
      timestamp: 1_699_999_987_655,
      key,
      value: Buffer.alloc(0),
      headers: [],
    });
  });

  it('keeps headers in order, with duplicates, nulls and any name', async () => {
    const headers: Array<[string, Buffer | null]> = [
      ['b', Buffer.from('1')],
      ['__proto__', Buffer.from('2')],
      ['b', null],
      ['constructor', Buffer.alloc(0)],
      ['', Buffer.from('é')],
      ['名前🖼', null],
      ['b', Buffer.from('3')],
    ];
    const message = await one({ records: [{ offsetDelta: 0, headers }] });
    expect(message.headerList).toEqual(headers.map(([name, value]) => ({ name, value })));
    expect(message.fault).toBeUndefined();
    const folded = message.headers;
    expect(Object.keys(folded)).toEqual(['b', '__proto__', 'constructor', '', '名前🖼']);
    expect(folded['b']).toEqual([Buffer.from('1'), null, Buffer.from('3')]);
    expect(folded['__proto__']).toEqual(Buffer.from('2'));
    expect('toString' in folded).toBe(false);
  });

  it.each([
    ['no timestamp', -1n, 0n, -1],
    ['the latest 64 bits hold', 2n ** 63n - 1n, 0n, 8.64e15],
    ['the earliest 64 bits hold', -(2n ** 63n), 0n, -8.64e15],
    ['a delta beyond dates', 0n, 2n ** 62n, 8.64e15],
    ['the last date', 8_640_000_000_000_000n, 0n, 8.64e15],
    ['one ms after the last date', 8_640_000_000_000_000n, 1n, 8.64e15],
    ['one ms before the epoch', 0n, -1n, -1],
  ])('has a time that a date can hold: %s', async (_name, baseTimestamp, timestampDelta, time) => {
    const message = await one({ baseTimestamp, records: [{ offsetDelta: 0, timestampDelta }] });
    expect(message.time).toBe(time);
    expect(message.timestamp).toBe(String(time));
    expect(new Date(message.time).getTime()).toBe(time);
  });

  it('has the time of the append where the topic says so', async () => {
    const message = await one({
      appendTime: true,
      maxTimestamp: 1_800_000_000_000,
      records: [{ offsetDelta: 0, timestampDelta: 5 }],
    });
    expect(message.time).toBe(1_800_000_000_000);
  });

  it('with 1,000 headers is sound, with 1,001 is a fault that keeps key, value and 1,000 of them', async () => {
    const key = Buffer.from('k');
    const value = Buffer.from('v');
    const sound = await one({ records: [{ offsetDelta: 0, headers: manyHeaders(1_000) }] });
    expect([sound.headerList.length, sound.fault]).toEqual([1_000, undefined]);
    const records = [{ offsetDelta: 0, key, value, headers: manyHeaders(1_001) }];
    const { fault, headerList, ...kept } = await one({ records });
    expect(fault?.code).toBe('event_headers_too_large');
    expect(fault?.message).toMatch(/it has 1001 headers, and at most 1000/);
    expect(headerList).toHaveLength(1_000);
    expect([kept.key, kept.value]).toEqual([key, value]);
  });

  it('may have the headers that Moderato adds on top of as many as are accepted: its verdict is readable', async () => {
    const added = (name: string): [string, Buffer] => [name, Buffer.alloc(300)];
    const names = ['ce_id', 'ce_type', 'content-type', 'traceparent', 'moderato-origin'];
    const full = [...manyHeaders(999), ['large', Buffer.alloc(200_000)] as [string, Buffer]];
    const verdict = await one({
      records: [{ offsetDelta: 0, headers: [...full, ...names.map(added)] }],
    });
    expect([verdict.headerList.length, verdict.fault]).toEqual([1_005, undefined]);
    const twice = [...full, ...names.map(added), added('ce_id')];
    expect((await one({ records: [{ offsetDelta: 0, headers: twice }] })).fault?.code).toBe(
      'event_headers_too_large',
    );
    const large: Array<[string, Buffer]> = [['ce_id', Buffer.alloc(300_000)]];
    expect((await one({ records: [{ offsetDelta: 0, headers: large }] })).fault?.code).toBe(
      'event_headers_too_large',
    );
  });

  it('with more than 256 KiB of headers is a fault with the headers that fit', async () => {
    const headers: Array<[string, Buffer]> = [
      ['a', Buffer.alloc(100)],
      ['b', Buffer.alloc(256 * 1024)],
    ];
    const message = await one({ records: [{ offsetDelta: 0, headers }] });
    expect(message.fault?.code).toBe('event_headers_too_large');
    expect(message.headerList.map(({ name }) => name)).toEqual(['a']);
  });

  it('after one with too many headers is read as usual', async () => {
    const records = [
      { offsetDelta: 0, headers: manyHeaders(20_000) },
      { offsetDelta: 1, value: Buffer.from('next') },
    ];
    const partition = await decode([await recordBatch({ records })]);
    expect(outcomes(partition)).toEqual([
      [0, 'event_headers_too_large'],
      [1, 'sound'],
    ]);
  });

  it('over maxRecordBytes loses its value and keeps a short key', async () => {
    const records = [
      { offsetDelta: 0, key: Buffer.from('k'), value: Buffer.alloc(1_000) },
      { offsetDelta: 1, key: Buffer.from('k'), value: Buffer.alloc(999) },
      { offsetDelta: 2, key: Buffer.alloc(1024 * 1024 + 1), value: null },
    ];
    const partition = await decode([await recordBatch({ records })], { maxRecordBytes: 1_000 });
    expect(outcomes(partition).map(([, code]) => code)).toEqual([
      'event_too_large',
      'sound',
      'event_too_large',
    ]);
    const messages = [...partition.records];
    expect(messages.map(({ key }) => key)).toEqual([Buffer.from('k'), Buffer.from('k'), null]);
    expect(messages.map(({ value }) => value?.length)).toEqual([undefined, 999, undefined]);
    expect(messages[0]?.fault?.message).toMatch(/1001 bytes, and at most 1000/);
  });
});

describe('a batch with a damaged record', () => {
  const sound = [0, 1].map((offsetDelta) => recordBytes({ offsetDelta, value: Buffer.from('x') }));

  it.each<[string, Buffer]>([
    ['a length beyond the batch', Buffer.from([0x7e, 0, 0])],
    ['a negative length', varint(-2)],
    ['a varint that does not end', Buffer.alloc(11, 0xff)],
    ['a key beyond the record', recordBytes({ offsetDelta: 2 }).fill(0x7e, 4, 5)],
    ['a key of negative length', recordBytes({ offsetDelta: 2 }).fill(0x03, 4, 5)],
    ['a negative number of headers', recordBytes({ offsetDelta: 2 }).fill(0x01, 6, 7)],
    ['an offset twice', recordBytes({ offsetDelta: 1 })],
    ['an offset beyond the batch', recordBytes({ offsetDelta: 5 })],
    ['an offset before the batch', recordBytes({ offsetDelta: -1 })],
    ['bytes after the headers', Buffer.from([16, 0, 0, 4, 1, 1, 0, 9, 9])],
    ['nothing', Buffer.alloc(0)],
  ])('delivers what is sound, then a fault for each offset: %s', async (_name, damaged) => {
    const batch = await recordBatch({
      baseOffset: 100,
      records: Buffer.concat([...sound, damaged]),
      recordCount: 5,
      lastOffsetDelta: 4,
    });
    const next = await recordBatch({ baseOffset: 105, records: [{ offsetDelta: 0 }] });
    const partition = await decode([batch, next]);
    expect(outcomes(partition)).toEqual([
      [100, 'sound'],
      [101, 'sound'],
      [102, 'event_batch_corrupt'],
      [103, 'event_batch_corrupt'],
      [104, 'event_batch_corrupt'],
      [105, 'sound'],
    ]);
    const fault = [...partition.records][2];
    expect(fault).toMatchObject({
      key: null,
      value: null,
      headerList: [],
      time: 1_700_000_000_000,
    });
    expect(fault?.fault?.message).toMatch(/the batch of offsets 100 to 104 \(codec none\): /);
    expect(partition.nextOffset).toBe(106);
  });
});
