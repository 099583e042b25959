import { Partitioners } from 'kafkajs';

const choosePartition = Partitioners.DefaultPartitioner();

/**
 * The partition that Kafka's default partitioner chooses for a key: Murmur2, as the Java client has it.
 *
 * @param partitions - how many the topic has
 */
export function partitionOfKey(key: Buffer, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return choosePartition({ topic: '', partitionMetadata, message: { key, value: null } });
}
