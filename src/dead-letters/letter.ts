/**
 * The dead letters of a topic: found, shown and redriven. This room looks back at what was written; it takes no
 * part in the stream. Begin with `redrive.ts`.
 */
import type { KafkaRecord } from '../kafka/record.ts';
import { AppError } from '../errors.ts';
import type { MessageDecoder } from '../events/message-decoder.ts';
import { originText, parseOrigin } from '../events/origin.ts';
import { isRedriveNote, redrivenPosition, type LetterPosition } from '../events/redrive-note.ts';
import type { DeadLetter } from '../events/types.generated.ts';

/** What a record of the dead-letter topic is. */
export type LetterRecord =
  | { kind: 'letter'; letter: DeadLetter }
  /** `of` is undefined when the note does not say which letter was redriven. */
  | { kind: 'note'; of: LetterPosition | undefined }
  /** It cannot be redriven: the record that it should hold is not known. */
  | { kind: 'undecodable'; error: AppError };

/**
 * Never fails because of what the record holds: anyone may have written it. Throws AppError `registry_unavailable` or
 * `registry_rejected` when the schema registry does not say what the record is.
 */
export async function readLetter(
  decoder: MessageDecoder<DeadLetter>,
  record: KafkaRecord,
): Promise<LetterRecord> {
  const { fault } = record;
  if (fault) return { kind: 'undecodable', error: new AppError(fault.code, fault.message) };
  if (isRedriveNote(record)) return { kind: 'note', of: redrivenPosition(record.headers) };
  try {
    const letter = await decoder.decode(record.value);
    assertPlausible(letter);
    return { kind: 'letter', letter };
  } catch (error) {
    if (!(error instanceof AppError) || error.disposition !== 'dead-letter') throw error;
    return { kind: 'undecodable', error };
  }
}

/** A dead letter that the service wrote has the position of a record. */
function assertPlausible({ topic, partition, offset, attempts }: DeadLetter): void {
  const text = originText({ topic, partition, offset });
  if (parseOrigin(text) && attempts >= 0) return;
  throw new AppError(
    'event_invalid',
    `decoding a dead letter: ${text.slice(0, 300)} after ${attempts} attempts is no position of a record`,
  );
}
