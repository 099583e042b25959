import { Partitioners } from 'kafkajs';
import type { KafkaClient } from '../kafka/client.ts';
import { createMessageEncoder, type WireFormat } from '../events/message-encoder.ts';
import type { SchemaRegistry } from '../events/schema-registry.ts';
import type { ImageSource } from '../events/types.generated.ts';
import { kafkaError } from '../kafka/errors.ts';

export interface PublishOptions {
  kafka: KafkaClient;
  topic: string;
  format: WireFormat;
  registry?: SchemaRegistry | undefined;
  images: ReadonlyArray<{ eventId: string; load: () => Promise<ImageSource> }>;
  onPublished?: () => void;
}

/**
 * Publishes images as image events, keyed by their event id, one a request: kafkajs sends a request anew as a
 * whole, or loses count of it, when one of its partitions was refused.
 * Throws what `kafkaError` makes of a failure.
 */
export async function publishImages(options: PublishOptions): Promise<void> {
  const { kafka, topic, format, registry, images, onPublished } = options;
  const encoder = createMessageEncoder({ format, registry });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  try {
    await producer.connect();
    for (const { eventId, load } of images) {
      const occurredAt = Date.now();
      const image = await load();
      const event = { eventId, occurredAt, image, source: null, tenant: null, labels: {} };
      const { value, contentType } = await encoder.encodeImageEvent(event, topic);
      const headers = { 'content-type': contentType };
      await producer.send({ topic, messages: [{ key: eventId, value, headers }] });
      onPublished?.();
    }
  } catch (error) {
    throw kafkaError(error, `publishing to ${topic}`);
  } finally {
    await producer.disconnect();
  }
}
