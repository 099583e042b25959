/** What shares the machine fairly: partitions, and within them tenants or keys. */
import type { FlowOf } from './consumers/sorter.ts';
import type { EventDecoder } from './events/event-decoder.ts';
import { keyOf } from './kafka/by-topic.ts';
import { partitionOfKey } from './kafka/key-partitioner.ts';
import type { KafkaRecord } from './kafka/record.ts';

export const FAIR_BY = ['partition', 'tenant', 'key'] as const;

export type FairBy = (typeof FAIR_BY)[number];

/** Keys share as many flows: there may be as many keys as records. */
const KEY_FLOWS = 256;

/** The flow of a record within its partition, before it is decoded; undefined where a partition is one flow. */
export function flowWithinPartition(fairBy: FairBy, events: EventDecoder): FlowOf | undefined {
  if (fairBy === 'partition') return undefined;
  if (fairBy === 'key') return flowOfKey;
  return async ({ value, headers }) => {
    try {
      return (await events.decode(value, headers)).tenant ?? '';
    } catch {
      return ''; // The pipeline finds out what is wrong with it.
    }
  };
}

/** The flow of a record behind the intake: in the decoders, the batches and the places for fetches. */
export function flowOf(fairBy: FairBy, record: KafkaRecord, tenant: string | null): string {
  if (fairBy === 'partition') return `${keyOf(record)}/`;
  return `${keyOf(record)}/${fairBy === 'tenant' ? (tenant ?? '') : flowOfKey(record)}`;
}

function flowOfKey({ key }: KafkaRecord): string {
  return key === null ? '' : String(partitionOfKey(key, KEY_FLOWS));
}
