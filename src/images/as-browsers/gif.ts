/** GIF89a, sections 18 to 27. */
const TRAILER = 0x3b;
const IMAGE = 0x2c;
const EXTENSION = 0x21;
const CONTROL = 0xf9;
/** How a frame is disposed of: what was there before it, or nothing, comes back. */
const RESTORING = 2;

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

/** Transparent where no frame covers the canvas, as browsers show it. */
export function gifAsBrowsers(gif: Buffer): BrowserGif {
  const end = uncoveredEnd(gif);
  if (end === null) return { bytes: gif, added: 0 };
  const trailer = Buffer.from([TRAILER]);
  return { bytes: Buffer.concat([gif.subarray(0, end), INVISIBLE, trailer]), added: 1 };
}

/** Where the last whole frame ends; null where the canvas is covered, or a transparent colour is there anyway. */
function uncoveredEnd(gif: Buffer): number | null {
  if (gif.length < 13) return null;
  const [width, height] = [gif.readUInt16LE(6), gif.readUInt16LE(8)];
  let frames = 0;
  let uncovered = false;
  let at = 13 + coloursAfter(gif.readUInt8(10));
  let end = at;
  while (at < gif.length) {
    const block = gif[at];
    if (block === EXTENSION) {
      if (gif[at + 1] === CONTROL && gif[at + 2] === 4) {
        const flags = gif[at + 3] ?? 0;
        if (flags & 1) return null;
        uncovered ||= ((flags >> 2) & 7) >= RESTORING;
      }
      at += 2;
    } else if (block === IMAGE && at + 10 <= gif.length) {
      const [left = 0, top = 0, across = 0, down = 0] = [1, 3, 5, 7].map((i) =>
        gif.readUInt16LE(at + i),
      );
      if (frames === 0) {
        const [right, bottom] = [Math.max(width, left + across), Math.max(height, top + down)];
        uncovered ||= left > 0 || top > 0 || left + across < right || top + down < bottom;
      }
      frames += 1;
      at += 11 + coloursAfter(gif.readUInt8(at + 9));
    } else break;
    while ((gif[at] ?? 0) > 0) at += 1 + (gif[at] as number);
    at += 1;
    if (at > gif.length) break;
    if (block === IMAGE) end = at;
  }
  return uncovered && frames > 0 ? end : null;
}

const coloursAfter = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
