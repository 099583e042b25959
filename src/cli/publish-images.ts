import type { KafkaClient } from '../kafka/client.ts';
import { createMessageEncoder, type WireFormat } from '../events/message-encoder.ts';
import type { SchemaRegistry } from '../events/schema-registry.ts';
import type { ImageSource } from '../events/types.generated.ts';
import { usePublisher } from '../kafka/publisher.ts';

export interface PublishOptions {
  kafka: KafkaClient;
  topic: string;
  format: WireFormat;
  registry?: SchemaRegistry | undefined;
  images: ReadonlyArray<{ eventId: string; load: () => Promise<ImageSource> }>;
  onPublished?: () => void;
}

/** Publishes images as image events, keyed by their event id. Throws what `kafkaError` makes of a failure. */
export async function publishImages(options: PublishOptions): Promise<void> {
  const { kafka, topic, format, registry, images, onPublished } = options;
  const encoder = createMessageEncoder({ format, registry });
  await usePublisher(kafka, `publishing to ${topic}`, async (publisher) => {
    for (const { eventId, load } of images) {
      const occurredAt = Date.now();
      const image = await load();
      const event = { eventId, occurredAt, image, source: null, tenant: null, labels: {} };
      const { value, contentType } = await encoder.encodeImageEvent(event, topic);
      const headers = [{ name: 'content-type', value: Buffer.from(contentType) }];
      await publisher.publish({ topic, key: Buffer.from(eventId), value, headers });
      onPublished?.();
    }
  });
}
