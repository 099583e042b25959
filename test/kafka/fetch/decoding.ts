import {
  decodeFetchResponse,
  type FetchedPartition,
} from '../../../src/kafka/fetch/fetch-response.ts';
import { DEFAULT_LIMITS, type FetchLimits } from '../../../src/kafka/fetch/limits.ts';
import { fetchResponse, type PartitionParts } from '../../support/record-batch.ts';

/** Decodes the batches as the one partition of a response. */
export async function decode(
  batches: Buffer[],
  limits: Partial<FetchLimits> = {},
  parts: Omit<PartitionParts, 'batches'> = {},
): Promise<FetchedPartition> {
  const data = fetchResponse(11, [{ ...parts, batches }]);
  const { responses } = await decodeFetchResponse(11, data, { ...DEFAULT_LIMITS, ...limits });
  return responses[0]?.partitions[0] as FetchedPartition;
}

/** Offset and fault code of each message, `control` for control messages. */
export function outcomes(partition: FetchedPartition): Array<[number, string]> {
  return [...partition.records].map(({ position, fault, isControlRecord }) => [
    position,
    isControlRecord ? 'control' : (fault?.code ?? 'sound'),
  ]);
}
