import type { Apng } from './apng.ts';

interface Pass {
  frames: AsyncGenerator<Buffer>;
  /** The number of the frame that comes next. */
  next: number;
}

/** One for each image that is being decoded: its frames are asked for one by one, in their order. */
const passes = new WeakMap<Buffer, Pass>();

/** RGBA of a frame, composed once where frames are asked for in their order. */
export async function composedFrame(encoded: Buffer, apng: Apng, frame: number): Promise<Buffer> {
  let pass = passes.get(encoded);
  if (pass === undefined || pass.next > frame) {
    pass = { frames: apng.composed(), next: 0 };
    passes.set(encoded, pass);
  }
  for (;;) {
    const step = await pass.frames.next();
    if (step.done === true) throw new RangeError(`frame ${frame} of ${apng.frames.length}`);
    pass.next += 1;
    // A copy: the canvas is drawn on again for the next frame.
    if (pass.next > frame) return Buffer.from(step.value);
  }
}
