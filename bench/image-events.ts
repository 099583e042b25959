import { readFile } from 'node:fs/promises';
import type { Kafka, Message, Producer } from 'kafkajs';
import { createMessageEncoder } from '../src/events/message-encoder.ts';
import type { Backlog } from './stage.ts';

/** The most bytes and events of one request. */
const REQUEST = { bytes: 1 << 20, events: 500 };

/** The message of an event, whose id is its number: an image inline. */
export type EventMaker = (event: number) => Promise<Message & { value: Buffer }>;

/** Events whose images, `files`, take turns. `tail` tells their copies apart: bytes behind the end of an image. */
export async function eventMaker(
  files: readonly string[],
  format: 'json' | 'avro',
  tail: (event: number) => Buffer = () => Buffer.alloc(0),
): Promise<EventMaker> {
  const images = await Promise.all(files.map((file) => readFile(file)));
  const encoder = createMessageEncoder({ format });
  return async (event) => {
    const eventId = String(event);
    const bytes = Buffer.concat([images[event % images.length] ?? Buffer.alloc(0), tail(event)]);
    const { value, contentType } = await encoder.encodeImageEvent(
      {
        eventId,
        occurredAt: Date.now(),
        image: { bytes, uri: null, sha256: null },
        source: null,
        tenant: null,
        labels: {},
      },
      '',
    );
    return { key: eventId, value, headers: { 'content-type': contentType } };
  };
}

/**
 * Adds events to a backlog, many in a request. Each request is of one partition: kafkajs sends all of it again when
 * one of several was refused.
 */
export async function fill(
  kafka: Kafka,
  backlog: Backlog,
  { events, make }: { events: number; make: EventMaker },
): Promise<void> {
  const { topic, partitions } = backlog;
  // Small enough that every partition gets its share.
  const most = Math.max(1, Math.min(REQUEST.events, Math.floor(events / partitions / 8)));
  await withProducer(kafka, async (producer) => {
    let messages: Message[] = [];
    let bytes = 0;
    let requests = 0;
    for (let left = events; left > 0; left--) {
      const partition = requests % partitions;
      const message = await make(backlog.events++);
      messages.push({ ...message, partition });
      bytes += message.value.length;
      if (left === 1 || bytes >= REQUEST.bytes || messages.length >= most) {
        await producer.send({ topic, messages });
        requests += 1;
        messages = [];
        bytes = 0;
      }
    }
  });
}

export async function withProducer<T>(
  kafka: Kafka,
  work: (producer: Producer) => Promise<T>,
): Promise<T> {
  const producer = kafka.producer();
  try {
    await producer.connect();
    return await work(producer);
  } finally {
    await producer.disconnect();
  }
}
