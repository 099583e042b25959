import { Partitioners, type Kafka } from 'kafkajs';
import { Dice } from '../fuzz/dice.ts';
import { recordBatch, type BatchCodec, type RecordParts } from '../test/support/record-batch.ts';
import type { HostileBatch } from './batches.ts';
import { Urn } from './draw.ts';
import { event, type Kind, type Scene } from './kind.ts';
import type { Plan, Planned } from './plan.ts';
import { seal, type RawProducer } from '../suites/raw-producer.ts';
import { PARTITIONS } from './world.ts';

export interface PublisherParts {
  kafka: Kafka;
  topic: string;
  producer: RawProducer;
  scene: Scene;
  plan: Plan;
  seed: number;
}

const MOST_IN_A_BATCH = 12;
const CODECS: readonly BatchCodec[] = ['none', 'gzip', 'snappy', 'snappy-framed', 'lz4', 'zstd'];
const NOW = 1_760_000_000_000n;
const IN_A_TRANSACTION = 5;

/** Writes what is drawn, mixed, and keeps where it lies. */
export class PoisonPublisher {
  readonly #parts: PublisherParts;
  readonly #dice: Dice;
  readonly #urn: Urn;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#dice = new Dice(parts.seed);
    this.#urn = new Urn(this.#dice);
  }

  /** At least one record and at most `most`; resolves with their number. */
  async publishSome(most: number): Promise<number> {
    const wanted = Math.min(most, this.#dice.int(1, MOST_IN_A_BATCH));
    const drawn = Array.from({ length: wanted }, () => this.#urn.draw());
    for (const kind of drawn.filter(({ isAlone }) => isAlone)) await this.#send([kind]);
    const shared = drawn.filter(({ isAlone }) => !isAlone);
    if (shared.length > 0) await this.#send(shared);
    return wanted;
  }

  async publishHostile(batch: HostileBatch): Promise<void> {
    const { kind, expected, records } = batch;
    const planned = Array.from({ length: records }, () => ({ kind, expected }));
    await this.#place(await batch.build(), planned);
  }

  /** A transaction of sound events that is committed, or aborted: then there may be no verdict of it. */
  async transact(end: 'commit' | 'abort'): Promise<void> {
    const { kafka, topic, scene, plan } = this.#parts;
    const producer = kafka.producer({
      transactionalId: `poison-${scene.next()}`,
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    try {
      const partition = this.#dice.int(0, PARTITIONS - 1);
      const transaction = await producer.transaction();
      const messages = Array.from({ length: IN_A_TRANSACTION }, () => ({
        partition,
        value: event(this.#dice, scene),
      }));
      const [written] = await transaction.send({ topic, messages });
      await this.publishSome(1); // lies between those of the transaction and its end, perhaps
      await transaction[end]();
      if (end === 'abort') return;
      const planned = { kind: 'good: in a transaction', expected: 'judged' } as const;
      plan.add(
        partition,
        Number(written?.baseOffset),
        messages.map(() => planned),
      );
    } finally {
      await producer.disconnect();
    }
  }

  async #send(kinds: readonly Kind[]): Promise<void> {
    const dice = this.#dice;
    const drafts = kinds.map((kind) => kind.draw(dice, this.#parts.scene));
    const records = drafts.map(({ key, value, headers }, offsetDelta): RecordParts => {
      return { offsetDelta, key: key ?? null, value: value ?? null, headers: headers ?? [] };
    });
    // One with a timestamp of its own is alone in its batch.
    const baseTimestamp = drafts[0]?.timestamp ?? NOW;
    const batch = await recordBatch({ records, codec: dice.pick(CODECS), baseTimestamp });
    const planned = kinds.map(({ name, expected }) => ({ kind: name, expected }));
    await this.#place(seal(batch), planned);
  }

  async #place(batch: Buffer, planned: readonly Planned[]): Promise<void> {
    const { producer, plan } = this.#parts;
    const partition = this.#dice.int(0, PARTITIONS - 1);
    const { errorCode, baseOffset } = await producer.send(partition, batch);
    if (errorCode === 0) plan.add(partition, baseOffset, planned);
    else plan.refuse(planned, errorCode);
  }
}
