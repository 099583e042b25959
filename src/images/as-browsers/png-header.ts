import { isIntact, readChunks, type Chunk } from './png-chunks.ts';
import type { Samples } from './browser-profile.ts';

/** What stands before the pixels of a PNG. */
export interface PngHeader {
  width: number;
  height: number;
  depth: number;
  samples: Samples;
  /** All chunks before the first IDAT, IHDR first. */
  chunks: Chunk[];
  /** Where the first IDAT begins. */
  pixels: number;
  /** The first intact chunk of a type and, where one is given, of a length. */
  first(type: string, length?: number): Buffer | null;
}

/** Null for a PNG whose header is not sound, or that ends before its pixels. */
export function readPngHeader(png: Buffer): PngHeader | null {
  const chunks: Chunk[] = [];
  let pixels: number | null = null;
  for (const chunk of readChunks(png)) {
    if (chunk.type === 'IDAT') {
      pixels = chunk.start;
      break;
    }
    chunks.push(chunk);
  }
  const ihdr = chunks[0];
  if (ihdr?.type !== 'IHDR' || ihdr.data.length !== 13) return null;
  // A file that breaks off inside its only IDAT has its pixels behind the last whole chunk.
  pixels ??= chunks.at(-1)?.end ?? png.length;
  const colour = ihdr.data.readUInt8(9);
  return {
    width: ihdr.data.readUInt32BE(0),
    height: ihdr.data.readUInt32BE(4),
    depth: ihdr.data.readUInt8(8),
    samples: colour === 0 || colour === 4 ? 'GRAY' : 'RGB ',
    chunks,
    pixels,
    first: (type, length) => {
      const found = chunks.find((chunk) => chunk.type === type && isIntact(png, chunk));
      return found && (length === undefined || found.data.length === length) ? found.data : null;
    },
  };
}
