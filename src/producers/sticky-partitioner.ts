import { Partitioners, type ICustomPartitioner, type Message } from 'kafkajs';

/**
 * Kafka's usual partitioner, which for each message object gives the same answer every time, and tells it.
 *
 * kafkajs partitions anew when it tries a request again. A message without a key would then move: written
 * twice, or, as an idempotent producer's sequence numbers count per partition, taken by the broker for a
 * duplicate of the one that was there before and dropped.
 */
export class StickyPartitioner {
  readonly #chosen = new WeakMap<Message, number>();

  /** For kafkajs' `createPartitioner`; what it chose is remembered across producers. */
  readonly create: ICustomPartitioner = () => {
    const choose = Partitioners.DefaultPartitioner();
    return (args) => {
      const known = this.#chosen.get(args.message);
      if (known !== undefined) return known;
      const partition = choose(args);
      this.#chosen.set(args.message, partition);
      return partition;
    };
  };

  /** Where the message was sent; undefined before it was. */
  partitionOf(message: Message): number | undefined {
    return this.#chosen.get(message);
  }
}
