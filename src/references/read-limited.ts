import { empty, tooLarge } from './fetch-faults.ts';

export interface ReadLimits {
  /** What the image is called in messages. */
  name: string;
  maxBytes: number;
  /** The length that the sender announced, if any. */
  announced?: number | undefined;
}

/**
 * Everything that `chunks` yield, which are read no further than the limit, and not at all when more is announced.
 * Throws AppError `image_too_large` or `image_empty`, and whatever `chunks` throw.
 */
export async function readLimited(
  chunks: AsyncIterable<Uint8Array>,
  { name, maxBytes, announced = 0 }: ReadLimits,
): Promise<Buffer> {
  if (announced > maxBytes) throw tooLarge(name, maxBytes);
  const read: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(name, maxBytes);
    read.push(chunk);
  }
  if (length === 0) throw empty(name);
  return Buffer.concat(read, length);
}
