/** GIF89a, sections 18 to 27. */
const TRAILER = 0x3b;
const IMAGE = 0x2c;
const EXTENSION = 0x21;
const CONTROL = 0xf9;
/** How a frame is disposed of: nothing comes in its place, or what was there before it. */
const TO_NOTHING = 2;
const TO_PREVIOUS = 3;
/** Pixels of this many bits can have every index, those of fewer bits have none of the last. */
const ALL_BITS = 8;
const LAST_INDEX = 255;

/**
 * A frame of one transparent pixel, never shown: the native decoder has an alpha channel only where a frame names a
 * transparent colour. Its control, its place and size, and the code of that pixel.
 */
const INVISIBLE = Buffer.from([
  ...[EXTENSION, CONTROL, 4, 1, 0, 0, 0, 0],
  ...[IMAGE, 0, 0, 0, 0, 1, 0, 1, 0, 0],
  ...[2, 2, 0x44, 1, 0],
]);

export interface BrowserGif {
  bytes: Buffer;
  /** Frames put behind the last one, which are not part of the picture. */
  added: 0 | 1;
}

/** Transparent where no frame covers the canvas, and where a frame was disposed of, as browsers show it. */
export function gifAsBrowsers(gif: Buffer): BrowserGif {
  const { uncovered, transparent, disposed, end } = survey(gif);
  let bytes = gif;
  if (disposed.length > 0) {
    bytes = Buffer.from(gif);
    // The native decoder fills in the background colour where the frame itself names no transparent one.
    for (const at of disposed) {
      bytes.writeUInt8(bytes.readUInt8(at) | 1, at);
      bytes.writeUInt8(LAST_INDEX, at + 3);
    }
  }
  if (!uncovered || transparent || disposed.length > 0 || end === 0) return { bytes, added: 0 };
  return {
    bytes: Buffer.concat([bytes.subarray(0, end), INVISIBLE, Buffer.from([TRAILER])]),
    added: 1,
  };
}

interface Survey {
  /** Whether something shows that no frame has drawn. */
  uncovered: boolean;
  /** Whether a frame names a transparent colour. */
  transparent: boolean;
  /** Flags of the controls of frames that are to be disposed of and have an index to spare for a transparent colour. */
  disposed: number[];
  /** Behind the last whole frame; 0: there is none. */
  end: number;
}

function survey(gif: Buffer): Survey {
  const found: Survey = { uncovered: false, transparent: false, disposed: [], end: 0 };
  if (gif.length < 13) return found;
  let control: number | null = null;
  let at = 13 + coloursAfter(gif.readUInt8(10));
  while (at < gif.length) {
    const block = gif[at];
    if (block === EXTENSION) {
      if (gif[at + 1] === CONTROL && gif[at + 2] === 4 && at + 8 <= gif.length) {
        control = at + 3;
        const flags = gif.readUInt8(control);
        found.transparent ||= (flags & 1) !== 0;
        found.uncovered ||= disposalOf(flags) >= TO_NOTHING && disposalOf(flags) <= TO_PREVIOUS;
      }
      at += 2;
    } else if (block === IMAGE && at + 11 <= gif.length) {
      if (found.end === 0) found.uncovered ||= !covers(gif, at);
      at += 10 + coloursAfter(gif.readUInt8(at + 9));
      const flags = control === null ? 0 : gif.readUInt8(control);
      const isDisposed = disposalOf(flags) === TO_NOTHING && (flags & 1) === 0;
      if (control !== null && isDisposed && (gif[at] ?? ALL_BITS) < ALL_BITS) {
        found.disposed.push(control);
      }
      control = null;
      at += 1;
    } else break;
    while ((gif[at] ?? 0) > 0) at += 1 + (gif[at] as number);
    at += 1;
    if (block === IMAGE && at <= gif.length) found.end = at;
  }
  return found;
}

const disposalOf = (flags: number): number => (flags >> 2) & 7;
const coloursAfter = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

/** Whether the frame covers the screen, which grows where the first frame reaches beyond it. */
function covers(gif: Buffer, at: number): boolean {
  const [left = 0, top = 0, across = 0, down = 0] = [1, 3, 5, 7].map((i) =>
    gif.readUInt16LE(at + i),
  );
  return left === 0 && top === 0 && across >= gif.readUInt16LE(6) && down >= gif.readUInt16LE(8);
}
