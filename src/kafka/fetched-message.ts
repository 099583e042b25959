import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { Header } from '../events/types.generated.ts';
import type { KafkaRecord } from './record.ts';

/** A record as kafkajs decodes it, before markers are told apart. */
export type FetchedMessage = KafkaMessage & { isControlRecord: boolean };

/** A kafkajs message as a record, byte for byte: keys are not text, and null is not empty. */
export function toKafkaRecord(
  topic: string,
  partition: number,
  message: KafkaMessage,
): KafkaRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: toHeaders(message.headers),
  };
}

/** kafkajs folds headers of the same name into an array; a header without a value it gives as null. */
function toHeaders(headers: IHeaders | undefined): Header[] {
  const list: Header[] = [];
  for (const [name, values] of Object.entries(headers ?? {})) {
    if (!Array.isArray(values)) list.push({ name, value: toBytes(values) });
    else for (const value of values) list.push({ name, value: toBytes(value) });
  }
  return list;
}

function toBytes(value: Buffer | string | null | undefined): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : (value ?? null);
}
