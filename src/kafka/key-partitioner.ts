import { Partitioners, type ICustomPartitioner } from 'kafkajs';

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/**
 * The partition that Kafka's default partitioner chooses for a key: Murmur2, as the Java client has it.
 *
 * @param partitions - how many the topic has
 */
export function partitionOfKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/**
 * Kafka's default partitioner. kafkajs' own takes time quadratic in the key's length, for its numbers grow with each
 * step: a key of 900 kB, which any publisher may choose, holds the process for minutes.
 */
export const createKeyPartitioner: ICustomPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  return (args) => {
    const { message, partitionMetadata } = args;
    const { key, partition } = message;
    if (key === null || key === undefined || typeof partition === 'number') return choose(args);
    return partitionOfKey(
      typeof key === 'string' ? Buffer.from(key) : key,
      partitionMetadata.length,
    );
  };
};

/** The 32-bit hash of org.apache.kafka.common.utils.Utils, signed as in Java. */
function murmur2(data: Buffer): number {
  let hash = SEED ^ data.length;
  const { buffer, byteOffset, length } = data;
  const view = new DataView(buffer, byteOffset, length);
  const whole = length - (length % 4);
  for (let at = 0; at < whole; at += 4) {
    const mixed = Math.imul(view.getInt32(at, true), M);
    hash = Math.imul(hash, M) ^ Math.imul(mixed ^ (mixed >>> 24), M);
  }
  if (whole < length) {
    hash ^= data.readUIntLE(whole, length - whole);
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}
