import type { ICustomPartitioner, Message } from 'kafkajs';
import { createKeyPartitioner } from './key-partitioner.ts';
import { kafkaHeaders, type OutgoingMessage } from './outgoing-message.ts';

/** A message as kafkajs takes it, with the one that it is made from. */
interface SentMessage extends Message {
  outgoing: OutgoingMessage;
}

/** The message as kafkajs takes it, for a producer with a `StickyPartitioner`. */
export function sentMessage(outgoing: OutgoingMessage): SentMessage {
  const { key, value, headers, partition } = outgoing;
  return {
    key,
    value,
    headers: kafkaHeaders(headers),
    ...(partition !== undefined && { partition }),
    outgoing,
  };
}

/**
 * Kafka's default partitioner, which gives the same answer each time for the same message, and remembers it.
 *
 * kafkajs chooses a partition again when it retries a request. A message without a key would then move: written
 * twice, or, as an idempotent producer's sequence numbers count per partition, taken by the broker for a
 * duplicate of the one that was there before and dropped.
 */
export class StickyPartitioner {
  readonly #chosen = new WeakMap<OutgoingMessage, number>();

  /** For kafkajs' `createPartitioner`; the choices are remembered across producers. */
  readonly create: ICustomPartitioner = () => {
    const choose = createKeyPartitioner();
    return (args) => {
      const message = args.message as SentMessage;
      const { outgoing } = message;
      const known = this.#chosen.get(outgoing);
      if (known !== undefined) return known;
      const key = outgoing.partitionKey ?? outgoing.key;
      const partition = choose({ ...args, message: { ...message, key } });
      this.#chosen.set(outgoing, partition);
      return partition;
    };
  };

  /** The partition the message was sent to; undefined before it was sent. */
  partitionOf(message: OutgoingMessage): number | undefined {
    return this.#chosen.get(message);
  }
}
