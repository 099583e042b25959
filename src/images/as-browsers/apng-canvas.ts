import type { ApngFrame } from './apng.ts';

export interface Canvas {
  width: number;
  height: number;
}

const TO_NOTHING = 1;
const TO_PREVIOUS = 2;
const OVER = 1;

/** Lays frames onto one canvas of RGBA; PNG (third edition), section 11.3.6.2. The canvas is the same buffer each time. */
export async function* compose(
  { width, height, frames }: Canvas & { frames: readonly ApngFrame[] },
  pixelsOf: (frame: ApngFrame) => Promise<Uint8Array>,
): AsyncGenerator<Buffer> {
  const canvas = Buffer.alloc(width * height * 4);
  for (const [index, frame] of frames.entries()) {
    const pixels = await pixelsOf(frame);
    // There is nothing before the first frame to come back.
    const dispose = index === 0 && frame.dispose === TO_PREVIOUS ? TO_NOTHING : frame.dispose;
    const before = dispose === TO_PREVIOUS ? regionOf(canvas, width, frame) : null;
    for (const { from, to, length } of rows(width, frame)) {
      const row = pixels.subarray(from, from + length);
      if (frame.blend === OVER) layOver(canvas, to, row);
      else canvas.set(row, to);
    }
    yield canvas;
    for (const { from, to, length } of rows(width, frame)) {
      if (dispose === TO_NOTHING) canvas.fill(0, to, to + length);
      else before?.copy(canvas, to, from, from + length);
    }
  }
}

/** Where each row of a frame lies in the frame and in the canvas, in bytes. */
function* rows(canvasWidth: number, { left, top, width, height }: ApngFrame) {
  const length = width * 4;
  for (let row = 0; row < height; row += 1) {
    yield { from: row * length, to: ((top + row) * canvasWidth + left) * 4, length };
  }
}

function regionOf(canvas: Buffer, canvasWidth: number, frame: ApngFrame): Buffer {
  const region = Buffer.allocUnsafe(frame.width * frame.height * 4);
  for (const { from, to, length } of rows(canvasWidth, frame)) {
    canvas.copy(region, from, to, to + length);
  }
  return region;
}

/** Source over, alpha not multiplied into the colours; PNG (third edition), section 13.16. */
function layOver(canvas: Buffer, at: number, row: Uint8Array): void {
  for (let i = 0; i < row.length; i += 4) {
    const alpha = row[i + 3] as number;
    if (alpha === 0) continue;
    const below = canvas[at + i + 3] as number;
    if (alpha === 255 || below === 0) {
      canvas.set(row.subarray(i, i + 4), at + i);
      continue;
    }
    const rest = (below * (255 - alpha)) / 255;
    const sum = alpha + rest;
    for (let channel = i; channel < i + 3; channel += 1) {
      const mixed = (row[channel] as number) * alpha + (canvas[at + channel] as number) * rest;
      canvas[at + channel] = Math.round(mixed / sum);
    }
    canvas[at + i + 3] = Math.round(sum);
  }
}
