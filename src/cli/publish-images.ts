import { Partitioners, type Kafka } from 'kafkajs';
import { createMessageEncoder, type WireFormat } from '../events/message-encoder.ts';
import type { SchemaRegistry } from '../events/schema-registry.ts';
import type { ImageSource } from '../events/types.generated.ts';
import { kafkaError } from '../kafka/errors.ts';

export interface PublishOptions {
  kafka: Kafka;
  topic: string;
  format: WireFormat;
  registry?: SchemaRegistry | undefined;
  images: ReadonlyArray<{ eventId: string; load: () => Promise<ImageSource> }>;
  /** Events in one request. */
  chunk: number;
  onPublished?: () => void;
}

/** Publishes images as image events, keyed by their event id. Throws what `kafkaError` makes of a failure. */
export async function publishImages(options: PublishOptions): Promise<void> {
  const { kafka, topic, format, registry, images, chunk, onPublished } = options;
  const encoder = createMessageEncoder({ format, registry });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  try {
    await producer.connect();
    for (let start = 0; start < images.length; start += chunk) {
      const events = images.slice(start, start + chunk);
      const messages = await Promise.all(
        events.map(async ({ eventId, load }) => {
          const occurredAt = Date.now();
          const image = await load();
          const event = { eventId, occurredAt, image, source: null, tenant: null, labels: {} };
          const { value, contentType } = await encoder.encodeImageEvent(event, topic);
          return { key: eventId, value, headers: { 'content-type': contentType } };
        }),
      );
      await producer.send({ topic, messages });
      events.forEach(() => onPublished?.());
    }
  } catch (error) {
    throw kafkaError(error, `publishing to ${topic}`);
  } finally {
    await producer.disconnect();
  }
}
