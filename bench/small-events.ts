import sharp from 'sharp';
import { createMessageEncoder } from '../src/events/message-encoder.ts';
import type { Backlog, Stage } from './stage.ts';

const EDGE = 16;
/** Events of one request. */
const TOGETHER = 1_000;

/**
 * Adds image events whose inline image has a few hundred bytes, many in a request: so many would take minutes one by
 * one. Throws what the producer throws.
 */
export async function fillSmall(
  { kafka, photos }: Pick<Stage, 'kafka' | 'photos'>,
  backlog: Backlog,
  { events, format }: { events: number; format: 'json' | 'avro' },
): Promise<void> {
  const images = await Promise.all(
    photos.files.map((file) => sharp(file).resize(EDGE, EDGE).jpeg({ quality: 60 }).toBuffer()),
  );
  const encoder = createMessageEncoder({ format });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    for (let first = 0; first < events; first += TOGETHER) {
      const messages = Array.from({ length: Math.min(TOGETHER, events - first) }, async (_, at) => {
        const eventId = `small-${backlog.events + first + at}`;
        const bytes = images[(first + at) % images.length] ?? null;
        const event = {
          eventId,
          occurredAt: Date.now(),
          image: { bytes, uri: null, sha256: null },
          source: null,
          tenant: null,
          labels: {},
        };
        const { value, contentType } = await encoder.encodeImageEvent(event, backlog.topic);
        return { key: eventId, value, headers: { 'content-type': contentType } };
      });
      await producer.send({ topic: backlog.topic, messages: await Promise.all(messages) });
    }
  } finally {
    await producer.disconnect();
  }
  backlog.events += events;
}
