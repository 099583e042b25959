import type { Fault } from './faults.ts';
import { labelFaults } from './label-bounds.ts';
import {
  MAX_EVENT_ID_LENGTH,
  MAX_SOURCE_LENGTH,
  MAX_TENANT_LENGTH,
  MAX_URI_LENGTH,
} from './limits.ts';
import { createMessageDecoder, type DecoderOptions } from './message-decoder.ts';
import { CONTRACTS } from './schemas.ts';
import type { Header, ImageEvent } from './types.generated.ts';

/** The first step of a record: its value becomes an image event, or an error that says why not. */
export interface EventDecoder {
  /** Throws what `MessageDecoder.decode` does. */
  decode(value: Buffer | null, headers?: readonly Header[]): Promise<ImageEvent>;
}

/** Reads image events in JSON, Avro single-object encoding and, with a registry, what its ids name. */
export function createEventDecoder(options: DecoderOptions = {}): EventDecoder {
  return createMessageDecoder<ImageEvent>(CONTRACTS.imageEvent, options, check);
}

/** Whether the bytes are an image and the uri can be fetched is for the images room to find out. */
function check({ eventId, image, source, tenant, labels }: Partial<ImageEvent>): Fault[] {
  const faults: Fault[] = [];
  const atMost = (path: string, text: string | null | undefined, most: number): void => {
    if (typeof text !== 'string' || text.length <= most) return;
    faults.push({ path, problem: `${text.length} characters; at most ${most}` });
  };
  if (eventId === '') faults.push({ path: 'eventId', problem: 'must not be empty' });
  atMost('eventId', eventId, MAX_EVENT_ID_LENGTH);
  atMost('source', source, MAX_SOURCE_LENGTH);
  atMost('tenant', tenant, MAX_TENANT_LENGTH);
  if (labels) faults.push(...labelFaults(labels));
  if (!image) return faults;

  const { bytes, uri, sha256 } = image;
  if (bytes === null && uri === null) {
    faults.push({ path: 'image', problem: 'neither bytes nor uri is given' });
  }
  if (bytes !== null && uri !== null) {
    faults.push({ path: 'image', problem: 'both bytes and uri are given: give one' });
  }
  // A `data:` URI is the image itself, bounded as images are.
  if (typeof uri === 'string' && !/^data:/i.test(uri)) atMost('image.uri', uri, MAX_URI_LENGTH);
  if (typeof sha256 === 'string' && !/^[0-9a-f]{64}$/.test(sha256)) {
    faults.push({ path: 'image.sha256', problem: 'expected 64 lower-case hex digits' });
  }
  return faults;
}
