/** Image events in every encoding, with room for what a hostile or foreign publisher puts into them. */
import { createEventDecoder } from '../../src/events/event-decoder.ts';
import { CONTRACTS, IMAGE_EVENT } from '../../src/events/schemas.ts';
import { anImageEvent } from './builders.ts';
import { MemorySchemaRegistry, confluent } from './memory-schema-registry.ts';

export const registry = new MemorySchemaRegistry();
export const decoder = createEventDecoder({ registry });
export const shipped = registry.add(CONTRACTS.imageEvent.text);

export const minimal = { eventId: 'e', occurredAt: 1, image: { uri: 'file:///a.jpg' } };
export const json = (changes: object) => Buffer.from(JSON.stringify({ ...minimal, ...changes }));
/** `{"eventId":…}` with more text before the closing brace. */
export const jsonWith = (more: string) =>
  Buffer.from(`${json({}).toString().slice(0, -1)},${more}}`);
export const many = (count: number, item: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => item(index)).join(',');
export const labels = (count: number, length = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}`, 'x'.repeat(length)]));
export const avro = (event: Parameters<typeof anImageEvent>[0]) =>
  confluent(shipped, IMAGE_EVENT.toBuffer(anImageEvent(event)));

/** Our schema with one more field before all others. */
export function withField(type: unknown, bytes: Buffer): Buffer {
  const schema = JSON.parse(CONTRACTS.imageEvent.text) as { fields: unknown[] };
  schema.fields.unshift({ name: 'more', type });
  const body = IMAGE_EVENT.toBuffer(anImageEvent());
  return confluent(registry.add(JSON.stringify(schema)), Buffer.concat([bytes, body]));
}
export const LIST = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] };
/** 2^40 as a count. */
export const HUGE = Buffer.from('808080808040', 'hex');
export const changed = (value: Buffer, at: number, byte: number) => {
  const copy = Buffer.from(value);
  copy[at] = byte;
  return copy;
};
export const nullsOf = (count: number) => {
  const type = { type: 'array', items: 'null' };
  const varint = Buffer.from([
    ((count * 2) & 0x7f) | 0x80,
    (((count * 2) >> 7) & 0x7f) | 0x80,
    (count * 2) >> 14,
    0,
  ]);
  return withField(type, varint);
};
export const withOccurredAt = (time: bigint) => {
  const varint: number[] = [];
  let zigzag = BigInt.asUintN(64, (time << 1n) ^ (time >> 63n));
  for (; zigzag >= 0x80n; zigzag >>= 7n) varint.push(Number(zigzag & 0x7fn) | 0x80);
  varint.push(Number(zigzag));
  const body = IMAGE_EVENT.toBuffer(anImageEvent({ eventId: 'e', occurredAt: 0 }));
  return confluent(
    shipped,
    Buffer.concat([body.subarray(0, 2), Buffer.from(varint), body.subarray(3)]),
  );
};
