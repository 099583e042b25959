import { compileWasm, isTrap, startWasm } from '../wasm.ts';
import type { Box } from './image-decoder.ts';
import { JPEG_WASM } from './jpeg-wasm.generated.ts';
import type { JpegHeader } from './jpeg-header.ts';

/** What codec.c exports. */
interface Codec {
  memory: { buffer: ArrayBuffer };
  _initialize: () => void;
  allocate: (size: number) => number;
  release: (at: number) => void;
  decode: (...parameters: number[]) => void;
}

/** The codec came upon something that it does not decode, or that it would have to warn of. */
class Refusal extends Error {}

/** The memory of an instance never shrinks: one that has grown beyond this is let go, in bytes. */
const KEPT = 32 * 2 ** 20;

const compiled = compileWasm(JPEG_WASM);
let idle: Codec | null = null;
/** Where the last pixels lie in it, to be released. */
let output = 0;

/**
 * Decodes the pixels under `part` of an ordinary JPEG, upright, in RGB: `[part.height, part.width, 3]`, valid until
 * the next call. Null where the codec refuses: at the first fault, however small, and where it would need more than
 * 128 MiB.
 */
export function decodeJpeg(bytes: Uint8Array, header: JpegHeader, part: Box): Uint8Array | null {
  const codec = idle ?? start();
  // Only a call that came to its end leaves an instance that can be used again.
  idle = null;
  const size = part.width * part.height * 3;
  try {
    if (output !== 0) codec.release(output);
    const input = codec.allocate(bytes.length);
    new Uint8Array(codec.memory.buffer).set(bytes, input);
    output = codec.allocate(size);
    const { left, top, width, height, first, right, down } = asStored(header, part);
    const stored = [left, top, width, height];
    codec.decode(input, bytes.length, ...stored, output + first, right, down);
    codec.release(input);
  } catch (error) {
    output = 0;
    if (error instanceof Refusal || isTrap(error)) return null;
    throw error;
  }
  const pixels = new Uint8Array(codec.memory.buffer, output, size);
  if (codec.memory.buffer.byteLength <= KEPT) idle = codec;
  else output = 0;
  return pixels;
}

function start(): Codec {
  const host = {
    refuse: (reason: number) => {
      throw new Refusal(`libjpeg-turbo: message ${reason}`);
    },
  };
  const codec = startWasm(compiled, { host }) as Codec;
  codec._initialize();
  return codec;
}

/** By EXIF orientation: whether rows become columns, and whether what comes of it is mirrored across and down. */
const TURNS = [
  [false, false, false],
  [false, true, false],
  [false, true, true],
  [false, false, true],
  [true, false, false],
  [true, true, false],
  [true, true, true],
  [true, false, true],
] as const;

/** Where an upright part lies in the image as stored, and where in the upright pixels its stored pixels go, in bytes. */
function asStored({ width, height, orientation }: JpegHeader, part: Box) {
  const [turned, across, down] = TURNS[orientation - 1] as (typeof TURNS)[number];
  const [shownWidth, shownHeight] = turned ? [height, width] : [width, height];
  const x = across ? shownWidth - part.left - part.width : part.left;
  const y = down ? shownHeight - part.top - part.height : part.top;
  const column = across ? -3 : 3;
  const row = (down ? -3 : 3) * part.width;
  return {
    ...(turned
      ? { left: y, top: x, width: part.height, height: part.width, right: row, down: column }
      : { left: x, top: y, width: part.width, height: part.height, right: column, down: row }),
    first: (across ? (part.width - 1) * 3 : 0) + (down ? (part.height - 1) * part.width * 3 : 0),
  };
}
