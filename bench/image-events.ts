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

/** Adds events to a backlog, as many in a request as fit. */
export async function fill(
  kafka: Kafka,
  backlog: Backlog,
  { events, make }: { events: number; make: EventMaker },
): Promise<void> {
  await withProducer(kafka, async (producer) => {
    const { topic } = backlog;
    let messages: Message[] = [];
    let bytes = 0;
    for (let left = events; left > 0; left--) {
      const message = await make(backlog.events++);
      messages.push(message);
      bytes += message.value.length;
      if (left === 1 || bytes >= REQUEST.bytes || messages.length >= REQUEST.events) {
        await producer.send({ topic, messages });
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
