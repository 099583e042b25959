import { describe, expect, it } from '@jest/globals';
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { CONTRACTS, IMAGE_EVENT } from '../../src/events/schemas.ts';
import { anImageEvent, asJson } from '../support/builders.ts';
import { MemorySchemaRegistry, confluent } from '../support/memory-schema-registry.ts';

const GUID = '89791762-2336-4186-9674-299b90a802e2';
const guidBytes = Buffer.from(`01${GUID.replaceAll('-', '')}`, 'hex');
const event = anImageEvent({ labels: { a: 'b' } });
const body = IMAGE_EVENT.toBuffer(event);
const long = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
const header = (name: string, value: Buffer | null) => ({ name, value });

function setUp() {
  const registry = new MemorySchemaRegistry();
  const id = registry.add(CONTRACTS.imageEvent.text);
  registry.guids.set(GUID, CONTRACTS.imageEvent.text);
  return { registry, id, decoder: createEventDecoder({ registry }) };
}

describe('a record that names its schema', () => {
  const { id, decoder } = setUp();
  const id4 = confluent(id, Buffer.alloc(0));

  it.each([
    ['by an id before the value', confluent(id, body), []],
    ['by a GUID before the value', Buffer.concat([guidBytes, body]), []],
    ["by a GUID in Confluent's header", body, [header('__value_schema_id', guidBytes)]],
    ["by an id in Confluent's header", body, [header('__value_schema_id', id4)]],
    [
      "by the last of Confluent's headers",
      body,
      [header('__value_schema_id', null), header('__value_schema_id', guidBytes)],
    ],
    [
      "by the id of its content in Apicurio's header",
      body,
      [header('apicurio.value.contentId', long(BigInt(id)))],
    ],
    [
      'in a header, and is JSON all the same',
      asJson(event),
      [header('__value_schema_id', guidBytes)],
    ],
  ])('%s is read', async (_, value, headers) => {
    expect(await decoder.decode(value, headers)).toEqual(event);
  });

  it.each([
    [
      "by an id of 8 bytes of Apicurio's",
      Buffer.concat([Buffer.alloc(1), long(7n), body]),
      [],
      'event_schema_unknown',
      "8-byte id of Apicurio's",
    ],
    [
      'by the global id of Apicurio',
      body,
      [header('apicurio.value.globalId', long(7n))],
      'event_schema_unknown',
      'set apicurio.registry.use-id=contentId',
    ],
    [
      "by no id in Apicurio's header",
      body,
      [header('apicurio.value.contentId', Buffer.from('7'))],
      'event_schema_unknown',
      'apicurio.value.contentId holds no id',
    ],
    [
      "by an id beyond 2^31 in Apicurio's header",
      body,
      [header('apicurio.value.contentId', long(2n ** 40n))],
      'event_schema_unknown',
      'holds no id',
    ],
    [
      "by no GUID in Confluent's header",
      body,
      [header('__value_schema_id', Buffer.from(GUID))],
      'event_schema_unknown',
      '__value_schema_id holds neither',
    ],
    [
      "by a null in Confluent's header",
      body,
      [header('__value_schema_id', null)],
      'event_schema_unknown',
      '__value_schema_id holds neither',
    ],
    [
      'by a GUID that the registry does not know',
      Buffer.concat([Buffer.alloc(17, 1), body]),
      [],
      'event_schema_unknown',
      '01010101-0101-0101-0101-010101010101',
    ],
    [
      'by a GUID cut short',
      guidBytes.subarray(0, 16),
      [],
      'event_undecodable',
      'ends within the GUID',
    ],
  ])('%s is refused by a message that says how', async (_, value, headers, code, message) => {
    await expect(decoder.decode(value, headers)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it('is refused while no registry is configured, in words for each way', async () => {
    const alone = createEventDecoder();
    for (const [value, headers, words] of [
      [confluent(id, body), [], 'schema id 1'],
      [Buffer.concat([guidBytes, body]), [], `schema GUID ${GUID}`],
      [body, [header('__value_schema_id', guidBytes)], 'header __value_schema_id'],
      [body, [header('apicurio.value.contentId', long(1n))], 'header apicurio.value.contentId'],
    ] as const) {
      await expect(alone.decode(value, headers)).rejects.toMatchObject({
        code: 'event_schema_unknown',
        message: expect.stringMatching(new RegExp(`${words}.*set registry\\.url`)),
      });
    }
  });
});
