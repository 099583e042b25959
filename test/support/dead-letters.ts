import { createDeadLetterDecoder } from '../../src/events/index.ts';
import { createMessageEncoder, type WireFormat } from '../../src/events/message-encoder.ts';
import type { DeadLetter } from '../../src/events/types.generated.ts';
import type { LetterSource } from '../../src/dead-letters/survey.ts';
import { publish } from './kafka.ts';
import { aDeadLetter } from './builders.ts';
import type { Kafka } from 'kafkajs';

/** Writes dead letters as the service does, by default to partition 0. */
export async function publishLetters(
  kafka: Kafka,
  topic: string,
  letters: ReadonlyArray<Partial<DeadLetter> & { at?: number; format?: WireFormat }>,
): Promise<void> {
  const messages = await Promise.all(
    letters.map(async ({ at = 0, format = 'json', ...overrides }) => {
      const letter = aDeadLetter(overrides);
      const { value } = await createMessageEncoder({ format }).encodeDeadLetter(letter, topic);
      return { key: letter.key, value, partition: at };
    }),
  );
  await publish(kafka, topic, messages);
}

export function letterSource(kafka: Kafka, topic: string): LetterSource {
  return { kafka, topic, decoder: createDeadLetterDecoder() };
}
