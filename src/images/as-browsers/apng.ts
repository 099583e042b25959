import { shownFor } from '../frames.ts';
import type { Codec } from './codec.ts';
import { compose, type Canvas } from './apng-canvas.ts';
import { pngAsBrowsers } from './png.ts';
import { chunkOf, isIntact, PNG_SIGNATURE, readChunks, type Chunk } from './png-chunks.ts';
import { COLOUR_CHUNKS } from './png-colour.ts';
import { readPngHeader } from './png-header.ts';

/** What an fcTL says of a frame; PNG (third edition), section 11.3.6.2. */
export interface ApngFrame {
  left: number;
  top: number;
  width: number;
  height: number;
  /** How long it is shown. */
  durationMs: number;
  /** 0 it stays, 1 nothing comes in its place, 2 what was there before. */
  dispose: number;
  /** 0 in place of what is there, 1 over it. */
  blend: number;
  /** Parts of its zlib stream. */
  data: Buffer[];
}

export interface Apng {
  width: number;
  height: number;
  frames: readonly ApngFrame[];
  /** RGBA of the whole canvas with each frame, in their order; each is valid until the next. Throws what the codec throws. */
  composed(): AsyncGenerator<Buffer>;
}

/** Chunks that hold for every frame. */
const SHARED = ['PLTE', 'tRNS', ...COLOUR_CHUNKS];
/** In front of the stream of an fdAT: its number in the sequence. */
const SEQUENCE_BYTES = 4;

/** Null for a PNG that browsers show as a still. */
export function readApng(png: Buffer, codec: Codec): Apng | null {
  const header = readPngHeader(png);
  if (header === null) return null;
  const said = header.first('acTL', 8)?.readUInt32BE(0) ?? 0;
  if (said === 0) return null;
  const { width, height } = header;
  const frames = readFrames(png, { width, height }, said);
  if (frames.length === 0) return null;
  const early = header.chunks.filter(({ type }) => SHARED.includes(type));
  const shared = early.map(({ start, end }) => png.subarray(start, end));
  const ihdr = header.chunks[0]?.data as Buffer;
  const pixelsOf = async (frame: ApngFrame): Promise<Uint8Array> =>
    await codec.rgbaOf(await pngAsBrowsers(still(ihdr, shared, frame), codec));
  return {
    ...{ width, height, frames },
    composed: () => compose({ width, height, frames }, pixelsOf),
  };
}

/** As many as are said to be there, up to the first that is not sound. */
function readFrames(png: Buffer, canvas: Canvas, said: number): ApngFrame[] {
  const frames: ApngFrame[] = [];
  for (const chunk of readChunks(png)) {
    const current = frames.at(-1);
    if (chunk.type === 'fcTL') {
      if (frames.length === said) break;
      const frame = isIntact(png, chunk) ? readControl(chunk, canvas) : null;
      if (frame === null) break;
      frames.push(frame);
    } else if (chunk.type === 'IDAT') current?.data.push(chunk.data);
    else if (chunk.type === 'fdAT' && chunk.data.length > SEQUENCE_BYTES) {
      current?.data.push(chunk.data.subarray(SEQUENCE_BYTES));
    }
  }
  return frames.filter(({ data }) => data.length > 0);
}

function readControl({ data }: Chunk, canvas: Canvas): ApngFrame | null {
  if (data.length !== 26) return null;
  const [width = 0, height = 0, left = 0, top = 0] = [4, 8, 12, 16].map((at) =>
    data.readUInt32BE(at),
  );
  const inside = left + width <= canvas.width && top + height <= canvas.height;
  if (width === 0 || height === 0 || !inside) return null;
  const ms = (1000 * data.readUInt16BE(20)) / (data.readUInt16BE(22) || 100);
  return {
    ...{ left, top, width, height },
    durationMs: shownFor(ms),
    dispose: data.readUInt8(24),
    blend: data.readUInt8(25),
    data: [],
  };
}

/** A PNG of one frame alone. */
function still(ihdr: Buffer, shared: readonly Buffer[], frame: ApngFrame): Buffer {
  const header = Buffer.from(ihdr);
  header.writeUInt32BE(frame.width);
  header.writeUInt32BE(frame.height, 4);
  return Buffer.concat([
    PNG_SIGNATURE,
    chunkOf('IHDR', header),
    ...shared,
    chunkOf('IDAT', ...frame.data),
    chunkOf('IEND'),
  ]);
}
