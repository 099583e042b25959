import type { Codec } from './codec.ts';
import { greyOf } from './grey.ts';
import { chunkOf, type Chunk } from './png-chunks.ts';
import { COLOUR_CHUNKS, iccpOf, profileOfPng } from './png-colour.ts';
import { readPngHeader, type PngHeader } from './png-header.ts';

/** One profile in place of all that a PNG says about its colours, and no more transparency than it has colours. */
export async function pngAsBrowsers(png: Buffer, codec: Codec): Promise<Buffer> {
  const header = readPngHeader(png);
  if (header === null) return png;
  const { samples, depth } = header;
  const found = profileOfPng(header);
  const isColour = found !== 'srgb' && found.toString('latin1', 16, 20) === 'RGB ';
  const grey = samples === 'GRAY' && isColour ? await greyOf(found, codec) : null;
  const profile = grey === null || grey.tinted ? found : grey.profile;
  const rewritten = withProfile(png, header, profile);
  if (profile === 'srgb' || (depth !== 16 && grey?.tinted !== true)) return rewritten;
  // 16 bits are not brought to sRGB by the native pipeline, and greys of 16 bits are converted by no profile at all.
  const eight = await codec.toEightBits(rewritten, profile.toString('latin1', 16, 20) === 'GRAY');
  const narrowed = readPngHeader(eight);
  return narrowed === null ? png : withProfile(eight, narrowed, profile);
}

function withProfile(png: Buffer, header: PngHeader, profile: Buffer | 'srgb'): Buffer {
  const { chunks, pixels } = header;
  const transparency = transparencyOf(header);
  const parts = chunks.map((chunk) => {
    if (COLOUR_CHUNKS.includes(chunk.type)) return null;
    const whole = png.subarray(chunk.start, chunk.end);
    return chunk.type === 'tRNS' ? trimmed(chunk, transparency, whole) : whole;
  });
  const kept = parts.filter((part) => part !== null);
  const isSame =
    profile === 'srgb' && parts.every((part, i) => part?.length === sizeOf(chunks[i] as Chunk));
  if (isSame) return png;
  const [ihdr, ...others] = kept;
  return Buffer.concat([
    png.subarray(0, chunks[0]?.start),
    ihdr as Buffer,
    ...(profile === 'srgb' ? [] : [iccpOf(profile)]),
    ...others,
    png.subarray(pixels),
  ]);
}

const sizeOf = ({ start, end }: Chunk): number => end - start;

/** Browsers take of a tRNS that is too long what they need, libpng leaves it out; section 11.3.1.1. */
function trimmed({ data }: Chunk, { most, isPalette }: Transparency, whole: Buffer): Buffer {
  // Both leave one out that is longer than any palette.
  const fits = data.length <= most || (isPalette && data.length > 256);
  return fits ? whole : chunkOf('tRNS', data.subarray(0, most));
}

interface Transparency {
  /** The most bytes that a tRNS may have. */
  most: number;
  isPalette: boolean;
}

function transparencyOf({ chunks }: PngHeader): Transparency {
  const colour = chunks[0]?.data.readUInt8(9);
  const palette = chunks.find(({ type }) => type === 'PLTE')?.data.length ?? Infinity;
  const most = new Map([
    [0, 2],
    [2, 6],
    [3, Math.floor(palette / 3)],
  ]).get(colour ?? -1);
  return { most: most ?? Infinity, isPalette: colour === 3 };
}
