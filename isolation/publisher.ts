import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, Producer } from 'kafkajs';

/** An image event without what every event has. */
export interface Event {
  tenant?: string | null;
  image: { uri: string } | { bytes: string };
}

export interface Place {
  topic: string;
  partition: number;
}

/**
 * Why an event is published. `probe`: hot events, one at a time, for what they cost; `idle`: light events while nothing
 * else is there; `light`: the same behind the hot ones.
 */
export type Side = 'warm-up' | 'idle' | 'probe' | 'hot' | 'light';

export interface Published {
  side: Side;
  /** ms since the epoch, when it was handed to the producer. */
  at: number;
}

export interface Outgoing {
  event: Event;
  place: Place;
}

const MOST_IN_A_REQUEST = 500;

/** Publishes image events and keeps when each was published. */
export class EventPublisher {
  /** By event id. */
  readonly published = new Map<string, Published>();
  readonly #producer: Producer;

  constructor(producer: Producer) {
    this.#producer = producer;
  }

  get count(): number {
    return this.published.size;
  }

  /** Publishes as fast as the broker takes it; resolves when all is acknowledged. */
  async publish(side: Side, outgoing: readonly Outgoing[]): Promise<void> {
    const byPlace = Map.groupBy(outgoing, ({ place }) => `${place.topic}/${place.partition}`);
    for (const part of byPlace.values()) {
      for (let from = 0; from < part.length; from += MOST_IN_A_REQUEST) {
        await this.#send(side, part.slice(from, from + MOST_IN_A_REQUEST));
      }
    }
  }

  /** Publishes one event after the other, `everyMs` apart, whether or not the last one is acknowledged. */
  async pace(side: Side, outgoing: readonly Outgoing[], everyMs: number): Promise<void> {
    const startedAt = performance.now();
    const sent: Array<Promise<void>> = [];
    for (const [index, each] of outgoing.entries()) {
      await sleep(Math.max(0, startedAt + index * everyMs - performance.now()));
      const request = this.#send(side, [each]);
      request.catch(() => undefined); // thrown below
      sent.push(request);
    }
    await Promise.all(sent);
    await sleep(Math.max(0, startedAt + outgoing.length * everyMs - performance.now()));
  }

  async #send(side: Side, outgoing: readonly Outgoing[]): Promise<void> {
    const at = Date.now();
    const messages = outgoing.map(({ event, place }): Message => {
      const eventId = `${side}-${this.published.size}`;
      this.published.set(eventId, { side, at });
      const value = JSON.stringify({ eventId, occurredAt: at, ...event });
      return { key: eventId, partition: place.partition, value };
    });
    const topic = outgoing[0]?.place.topic ?? '';
    await this.#producer.send({ topic, acks: -1, messages });
  }
}
