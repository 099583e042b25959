import type { Fault } from './json.ts';
import { createMessageDecoder, type DecoderOptions } from './message-decoder.ts';
import { CONTRACTS } from './schemas.ts';
import type { ImageEvent } from './types.generated.ts';

/** The first step of a record: its value becomes an image event, or an error that says why not. */
export interface EventDecoder {
  /** Throws what `MessageDecoder.decode` does. */
  decode(value: Buffer | null): Promise<ImageEvent>;
}

/** Reads image events in JSON, Avro single-object encoding and, with a registry, Confluent wire format. */
export function createEventDecoder(options: DecoderOptions = {}): EventDecoder {
  return createMessageDecoder<ImageEvent>(CONTRACTS.imageEvent, options, check);
}

/** Whether the bytes are an image and the uri can be fetched is for the images room to find out. */
function check({ eventId, image }: Partial<ImageEvent>): Fault[] {
  const faults: Fault[] = [];
  if (eventId === '') faults.push({ path: 'eventId', problem: 'must not be empty' });
  if (!image) return faults;

  const { bytes, uri, sha256 } = image;
  if (bytes === null && uri === null) {
    faults.push({ path: 'image', problem: 'neither bytes nor uri is given' });
  }
  if (bytes !== null && uri !== null) {
    faults.push({ path: 'image', problem: 'both bytes and uri are given: give one' });
  }
  if (typeof sha256 === 'string' && !/^[0-9a-f]{64}$/.test(sha256)) {
    faults.push({ path: 'image.sha256', problem: 'expected 64 lower-case hex digits' });
  }
  return faults;
}
