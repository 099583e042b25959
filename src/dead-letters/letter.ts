/**
 * The dead letters of a topic: found, shown and redriven. This room looks back at what was written; it takes no
 * part in the stream. Begin with `redrive.ts`.
 */
import type { KafkaRecord } from '../kafka/record.ts';
import { AppError } from '../errors.ts';
import type { MessageDecoder } from '../events/message-decoder.ts';
import { isRedriveNote, redrivenPosition, type LetterPosition } from '../events/redrive-note.ts';
import type { DeadLetter } from '../events/types.generated.ts';

/** What a record of the dead-letter topic is. */
export type LetterRecord =
  | { kind: 'letter'; letter: DeadLetter }
  /** `of` is undefined when the note does not say which letter was redriven. */
  | { kind: 'note'; of: LetterPosition | undefined }
  /** Nobody can redrive it: what it held is not known. */
  | { kind: 'undecodable'; error: AppError };

/**
 * Throws AppError `registry_unavailable` or `registry_rejected`, where nobody can say what the record is.
 */
export async function readLetter(
  decoder: MessageDecoder<DeadLetter>,
  record: KafkaRecord,
): Promise<LetterRecord> {
  if (isRedriveNote(record)) return { kind: 'note', of: redrivenPosition(record.headers) };
  try {
    return { kind: 'letter', letter: await decoder.decode(record.value) };
  } catch (error) {
    if (!(error instanceof AppError) || error.disposition !== 'dead-letter') throw error;
    return { kind: 'undecodable', error };
  }
}
