import { pathToFileURL } from 'node:url';
import { Partitioners, type Kafka, type Message, type Producer } from 'kafkajs';
import { messageOf } from '../src/errors.ts';
import type { Outcome } from '../src/events/types.generated.ts';
import type { Picture } from './pictures.ts';
import { PARTITIONS } from './world.ts';

const GARBAGE_EVERY = 97;
const BROKEN_EVERY = 89;
const REFERENCE_EVERY = 10;
/** Numbers of events that no other has. */
const BURSTS_FROM = 1_000_000_000;

/** Publishes image events of all sorts, a request for each partition. */
export class Publisher {
  readonly #kafka: Kafka;
  readonly #topic: string;
  readonly #pictures: readonly Picture[];
  #producer: Producer | undefined;
  #published = 0;
  #inBursts = 0;

  constructor(kafka: Kafka, topic: string, pictures: readonly Picture[]) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#pictures = pictures;
  }

  /** Events whose request was acknowledged. One that was not may have been written all the same. */
  get published(): number {
    return this.#published;
  }

  async publish(first: number, count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, index) => first + index);
    for (const [partition, part] of Map.groupBy(events, (event) => event % PARTITIONS)) {
      await this.#send(part.map((event) => this.#message(event, partition)));
      this.#published += part.length;
    }
  }

  /** Events of one partition, all at once. */
  async burst(partition: number, count: number): Promise<void> {
    const first = BURSTS_FROM + this.#inBursts;
    this.#inBursts += count;
    const messages = Array.from({ length: count }, (_, index) =>
      this.#message(first + index, partition),
    );
    await this.#send(messages);
    this.#published += count;
  }

  async close(): Promise<void> {
    await this.#producer?.disconnect().catch(() => undefined);
  }

  /** Until it is acknowledged; with another producer after a failure, for kafkajs loses count in one that failed. */
  async #send(messages: Message[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (!this.#producer) {
          this.#producer = this.#kafka.producer({
            idempotent: true,
            maxInFlightRequests: 1,
            createPartitioner: Partitioners.DefaultPartitioner,
          });
          await this.#producer.connect();
        }
        await this.#producer.send({ topic: this.#topic, acks: -1, messages });
        return;
      } catch (error) {
        await this.close();
        this.#producer = undefined;
        if (attempt === 10) throw new Error(`publishing: ${messageOf(error)}`, { cause: error });
      }
    }
  }

  #message(event: number, partition: number): Message {
    const key = `event-${event}`;
    if (event % GARBAGE_EVERY === 0) return { key, partition, value: `garbage ${event}` };
    const isBroken = event % BROKEN_EVERY === 0;
    const expected: Outcome = isBroken ? 'not_inspected' : this.#pictureOf(event).outcome;
    const image = {
      eventId: `${key} ${expected}`,
      occurredAt: new Date().toISOString(),
      image: this.#imageOf(event),
    };
    return { key, partition, value: JSON.stringify(image) };
  }

  #imageOf(event: number): { bytes: string } | { uri: string } {
    const { bytes, file } = this.#pictureOf(event);
    if (event % BROKEN_EVERY === 0) {
      // Its header and no more: of half a picture half would be judged.
      return { bytes: bytes.subarray(0, 32).toString('base64') };
    }
    if (event % REFERENCE_EVERY === 0) return { uri: pathToFileURL(file).href };
    return { bytes: bytes.toString('base64') };
  }

  #pictureOf(event: number): Picture {
    return this.#pictures[event % this.#pictures.length] as Picture;
  }
}

/** What the service must say of an event, which its id tells; null for a record that is no event. */
export function expectedOf(eventId: string | null): string | undefined {
  return eventId === null ? 'not_inspected' : eventId.split(' ')[1];
}
